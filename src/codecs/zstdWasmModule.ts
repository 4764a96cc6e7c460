import { inflateModule } from '../kernels/runtime/module.js';
import { ZSTD_WASM_DEFLATED } from './zstdWasm.generated.js';

/**
 * Inflates, compiles and links the embedded libzstd. It is a separate module because it is large: bundlers put it into
 * a chunk that only users of the wasm Zstd load.
 */
export async function instantiateZstd(imports: WebAssembly.Imports): Promise<WebAssembly.Exports> {
  const { instance } = await WebAssembly.instantiate(await inflateModule(ZSTD_WASM_DEFLATED), imports);
  return instance.exports;
}
