import { setImmediate as tick } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes of array buffers that something refers to, once what tests before have left is gone: garbage goes in tasks of its own. */
export async function heldArrayBuffers(): Promise<number> {
  let held = Infinity;
  for (;;) {
    collectGarbage();
    await tick();
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers >= held) return held;
    held = arrayBuffers;
  }
}
