import * as assert from 'uvu/assert';

const GUARD = 64;
const CANARY = 0xa5;

/** Runs `decode` with an output of `length` bytes between canaries, and fails when it wrote outside. */
export function withCanaries(length: number, decode: (out: Uint8Array) => void): void {
  const whole = new Uint8Array(length + 2 * GUARD).fill(CANARY);
  try {
    decode(whole.subarray(GUARD, GUARD + length));
  } finally {
    const guards = [...whole.subarray(0, GUARD), ...whole.subarray(GUARD + length)];
    assert.ok(
      guards.every((byte) => byte === CANARY),
      'wrote outside its output',
    );
  }
}
