import type { WasmSubject } from '../../runtime/module.js';
import type { WasmRuntime } from '../../runtime/runtime.js';
import type { Lz4EncodeKernels } from '../interface.js';
import { checkLz4Input, lz4Compress, lz4CompressBound } from '../portable/encode.js';
import { LZ4_ENCODE_WASM } from './lz4Encode.generated.js';

interface Lz4EncodeExports {
  encode(data: number, length: number, out: number, table: number): number;
}

/** Copies of 16 bytes overshoot the ends of buffers by less than this. */
const SLACK = 64;
const HASH_TABLE = 4 << 12;

export const wasmLz4Encode: WasmSubject<Lz4EncodeKernels> = {
  modules: { lz4Encode: LZ4_ENCODE_WASM },
  link: (runtime) => ({
    lz4Compress: (data) => {
      checkLz4Input(data);
      return runtime.scopeOr(
        () => compress(runtime, data),
        () => lz4Compress(data),
      );
    },
  }),
};

function compress(runtime: WasmRuntime, data: Uint8Array): Uint8Array {
  const table = runtime.allocate(HASH_TABLE);
  const from = runtime.allocate(data.length + SLACK);
  const to = runtime.allocate(lz4CompressBound(data.length) + SLACK);
  runtime.load(data, from);
  const { encode } = runtime.exports<Lz4EncodeExports>('lz4Encode');
  const block = new Uint8Array(encode(from, data.length, to, table));
  runtime.store(to, block);
  return block;
}
