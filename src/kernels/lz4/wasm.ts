import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import type { Lz4Kernels } from './interface.js';
import { lz4DecompressInto } from './portable/decode.js';
import { LZ4_WASM } from './wasm/lz4.generated.js';

interface Lz4Exports {
  decode(block: number, length: number, out: number, outLength: number, scratch: number): number;
}

/** Copies of 16 bytes pass the ends of buffers by less than this. */
const SLACK = 64;
const DECODE_SCRATCH = 256;

/** Working memory of the kernel that hashes. */
const HASH_STATE = 256;

export const wasmLz4: WasmSubject<Lz4Kernels> = { modules: { lz4: LZ4_WASM }, needs: ['xxh3'], link };

function link(runtime: WasmRuntime, portable: () => Lz4Kernels | undefined): Lz4Kernels {
  return {
    lz4DecompressInto: (block, out, check) =>
      runtime.scopeOr(
        () => decompress(runtime, block, out, check),
        (full) => {
          const larger = portable();
          if (larger === undefined) throw full;
          larger.lz4DecompressInto(block, out, check);
        },
      ),
  };
}

function decompress(
  runtime: WasmRuntime,
  ...[block, out, check]: Parameters<Lz4Kernels['lz4DecompressInto']>
): void {
  const scratch = runtime.allocate(DECODE_SCRATCH);
  const from = runtime.allocate(block.length + SLACK);
  const to = runtime.allocate(out.length + SLACK);
  runtime.load(block, from);
  if (check !== undefined) check(hash(runtime, from, block.length));
  const { decode } = runtime.exports<Lz4Exports>('lz4');
  const decoded = decode(from, block.length, to, out.length, scratch);
  if (decoded > 0) runtime.store(decoded, out);
  // The portable decoder refuses the same blocks, and finds out what is wrong.
  else lz4DecompressInto(block, out);
}

/** XXH3-64 of bytes that are in the memory already: loading them once serves both. */
function hash(runtime: WasmRuntime, from: number, length: number): bigint {
  const { xxh3 } = runtime.exports<{ xxh3(from: number, length: number, state: number): bigint }>('xxh3');
  return BigInt.asUintN(64, xxh3(from, length, runtime.allocate(HASH_STATE)));
}
