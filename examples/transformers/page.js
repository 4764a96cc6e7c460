/** The fragment of the page's URL is the quality: index.html#0.9. */
import { env } from '@huggingface/transformers';
import { embed } from './embed.js';

const here = new URL('./', location.href).href;
// By default, it would come from another server.
env.backends.onnx.wasm.wasmPaths = { wasm: `${here}ort-wasm-simd-threaded.asyncify.wasm` };

embed(here, Number(location.hash.slice(1) || 1)).then(
  (value) => {
    globalThis.outcome = { value };
    const text = JSON.stringify(value, undefined, 2);
    document.body.append(Object.assign(document.createElement('pre'), { textContent: text }));
  },
  (error) => {
    globalThis.outcome = { error: String(error.stack ?? error) };
  },
);
