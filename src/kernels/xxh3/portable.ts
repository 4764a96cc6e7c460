import { finish, type Steps } from '../../async/steps.js';
import type { ChecksumKernels } from './interface.js';
import { hashingLong } from './portable/long.js';
import { xxh3Short } from './portable/short.js';

/**
 * XXH3-64 with seed 0, after doc/xxhash_spec.md of the xxHash repository.
 *
 * hash-wasm is several times faster, but the portable kernels must work where a content security policy forbids
 * WebAssembly, and without a promise. The fast path is our own wasm kernel.
 */
export function xxh3(bytes: Uint8Array): bigint {
  return finish(hashing(bytes));
}

function* hashing(bytes: Uint8Array): Steps<bigint> {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.byteLength > 240 ? yield* hashingLong(data) : xxh3Short(data);
}

export const portableXxh3: ChecksumKernels = { xxh3, hashing };
