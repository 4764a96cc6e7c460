import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import type { ChecksumKernels } from './interface.js';
import { XXH3_WASM } from './wasm/xxh3.generated.js';

interface Xxh3Exports {
  xxh3(from: number, length: number, state: number): bigint;
  begin(state: number): void;
  blocks(from: number, count: number, state: number): void;
  end(from: number, rest: number, length: number, state: number): bigint;
}

/** Eight accumulators and the secret. */
const STATE = 256;
const BLOCK = 1024;
const STRIPE = 64;
/** Blocks that pass through the memory at a time: 32 KiB, which stay in the first-level cache. */
const CHUNK = 32;

export const wasmXxh3: WasmSubject<ChecksumKernels> = { modules: { xxh3: XXH3_WASM }, link };

function link(runtime: WasmRuntime): ChecksumKernels {
  return {
    xxh3: (bytes) =>
      runtime.scope(() => {
        if (bytes.length > CHUNK * BLOCK) return hashInChunks(bytes);
        const from = runtime.allocate(bytes.length);
        runtime.load(bytes, from);
        const state = runtime.allocate(STATE);
        const { xxh3 } = runtime.exports<Xxh3Exports>('xxh3');
        return BigInt.asUintN(64, xxh3(from, bytes.length, state));
      }),
  };

  function hashInChunks(bytes: Uint8Array): bigint {
    const state = runtime.allocate(STATE);
    const chunk = runtime.allocate(CHUNK * BLOCK + STRIPE);
    const { begin, blocks, end } = runtime.exports<Xxh3Exports>('xxh3');
    begin(state);
    // `end` processes the last block, whole or not.
    let left = Math.floor((bytes.length - 1) / BLOCK);
    let at = 0;
    while (left > 0) {
      const count = Math.min(left, CHUNK);
      runtime.load(bytes.subarray(at, at + count * BLOCK), chunk);
      blocks(chunk, count, state);
      at += count * BLOCK;
      left -= count;
    }
    // The last 64 bytes may overlap the blocks before.
    runtime.load(bytes.subarray(at - STRIPE), chunk);
    return BigInt.asUintN(64, end(chunk + STRIPE, bytes.length - at, bytes.length, state));
  }
}
