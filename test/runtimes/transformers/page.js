/** In a page, whose fragment has the quality. */
import { env } from '@huggingface/transformers';
import { embed } from './embed.js';

// By default, it would come from another server.
env.backends.onnx.wasm.wasmPaths = { wasm: new URL('./ort.wasm', location.href).href };

embed(new URL('./', location.href).href, Number(location.hash.slice(1))).then(
  (value) => {
    globalThis.outcome = { value };
  },
  (error) => {
    globalThis.outcome = { error: String(error.stack ?? error) };
  },
);
