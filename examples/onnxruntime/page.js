import * as ort from 'onnxruntime-web/webgpu';
import { improveFeeds, improveSessions } from './improve.js';

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL('./ort-wasm-simd-threaded.asyncify.wasm', location.href).href };

async function main() {
  const read = async (name) => (await fetch(name)).arrayBuffer();
  const images = new Float32Array(await read('images.bin'));
  const labels = new Uint8Array(await read('labels.bin'));
  const data = { modelFile: 'digits.holo.safetensors', images, labels };
  const wasm = { sessionOptions: { executionProviders: ['wasm'] } };
  const outcome = {
    feeds: await improveFeeds(ort, { ...data, ...wasm, graph: 'inputs.onnx' }),
    sessions: await improveSessions(ort, { ...data, ...wasm, graph: 'external.onnx' }),
  };
  if ((await navigator.gpu?.requestAdapter()) == null) return outcome;
  const gpu = { sessionOptions: { executionProviders: ['webgpu'] }, device: () => ort.env.webgpu.device };
  return { ...outcome, gpu: await improveFeeds(ort, { ...data, ...gpu, graph: 'inputs.onnx' }) };
}

main().then(
  (value) => {
    globalThis.outcome = { value };
    document.body.append(
      Object.assign(document.createElement('pre'), { textContent: JSON.stringify(value, undefined, 2) }),
    );
  },
  (error) => {
    globalThis.outcome = { error: String(error.stack ?? error) };
  },
);
