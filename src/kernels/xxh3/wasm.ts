import { finish, type Steps } from '../../async/steps.js';
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

/** Blocks that are hashed in a step: about a millisecond. */
const STEP_BLOCKS = 4096;

function link(runtime: WasmRuntime): ChecksumKernels {
  const kernels = () => runtime.exports<Xxh3Exports>('xxh3');

  return { xxh3: (bytes) => finish(hashing(bytes)), hashing };

  function* hashing(bytes: Uint8Array): Steps<bigint> {
    if (bytes.length <= CHUNK * BLOCK) return hashWhole(bytes);
    // Between two steps, the memory serves others.
    const state = new Uint8Array(STATE);
    // `end` processes the last block, whole or not.
    const blocks = Math.floor((bytes.length - 1) / BLOCK);
    for (let first = 0; first < blocks; first += STEP_BLOCKS) {
      if (first > 0) yield;
      addBlocks(bytes, first, Math.min(first + STEP_BLOCKS, blocks), state);
    }
    return hashEnd(bytes, blocks * BLOCK, state);
  }

  function hashWhole(bytes: Uint8Array): bigint {
    return runtime.scope(() => {
      const from = runtime.allocate(bytes.length);
      runtime.load(bytes, from);
      return BigInt.asUintN(64, kernels().xxh3(from, bytes.length, runtime.allocate(STATE)));
    });
  }

  function addBlocks(bytes: Uint8Array, first: number, end: number, state: Uint8Array): void {
    runtime.scope(() => {
      const address = runtime.allocate(STATE);
      const chunk = runtime.allocate(CHUNK * BLOCK);
      if (first === 0) kernels().begin(address);
      else runtime.load(state, address);
      for (let block = first; block < end; block += CHUNK) {
        const count = Math.min(CHUNK, end - block);
        runtime.load(bytes.subarray(block * BLOCK, (block + count) * BLOCK), chunk);
        kernels().blocks(chunk, count, address);
      }
      runtime.store(address, state);
    });
  }

  function hashEnd(bytes: Uint8Array, at: number, state: Uint8Array): bigint {
    return runtime.scope(() => {
      const address = runtime.allocate(STATE);
      runtime.load(state, address);
      const rest = runtime.allocate(STRIPE + BLOCK);
      // The last 64 bytes may overlap the blocks before.
      runtime.load(bytes.subarray(at - STRIPE), rest);
      return BigInt.asUintN(64, kernels().end(rest + STRIPE, bytes.length - at, bytes.length, address));
    });
  }
}
