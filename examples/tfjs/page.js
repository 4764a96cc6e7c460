import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { improveLayers, improveLoaded } from './improve.js';

setWasmPaths(new URL('./', location.href).href);

async function main() {
  const read = async (name) => (await fetch(name)).arrayBuffer();
  const data = {
    modelFile: 'digits.holo.safetensors',
    images: new Float32Array(await read('images.bin')),
    labels: new Uint8Array(await read('labels.bin')),
  };
  const outcome = {};
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    outcome[backend] = {
      layers: await improveLayers(tf, data),
      layersModel: await improveLoaded(tf, tf.loadLayersModel, { ...data, modelJson: 'layers.json' }),
      graphModel: await improveLoaded(tf, tf.loadGraphModel, { ...data, modelJson: 'graph.json' }),
    };
    if (tf.getBackend() !== backend) throw new Error(`the backend is ${tf.getBackend()}`);
  }
  return outcome;
}

main().then(
  (value) => {
    globalThis.outcome = { value };
    const text = JSON.stringify(value, undefined, 2);
    document.body.append(Object.assign(document.createElement('pre'), { textContent: text }));
  },
  (error) => {
    globalThis.outcome = { error: String(error.stack ?? error) };
  },
);
