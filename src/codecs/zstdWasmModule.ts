import { ZSTD_WASM_DEFLATED } from './zstdWasm.generated.js';

/**
 * Inflates, compiles and links the embedded libzstd. A module of its own because it is large: importing it on demand
 * lets a bundler put it into a chunk that only users of the wasm Zstd load.
 */
export async function instantiateZstd(imports: WebAssembly.Imports): Promise<WebAssembly.Exports> {
  const deflated = Uint8Array.from(atob(ZSTD_WASM_DEFLATED), (character) => character.charCodeAt(0));
  const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const wasm = await new Response(inflated).arrayBuffer();
  const { instance } = await WebAssembly.instantiate(wasm, imports);
  return instance.exports;
}
