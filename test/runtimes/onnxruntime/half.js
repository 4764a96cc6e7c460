/** In a page: weights of 16 bits, on wasm and on WebGPU; and what the runtime does not take. */

import { openModel } from 'holostream';
import { loadFeeds } from 'holostream/onnxruntime';
import * as ort from 'onnxruntime-web/webgpu';
import { improveFeeds, improveSessions } from './improve.js';

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL('./ort-wasm-simd-threaded.asyncify.wasm', location.href).href };

/** Whether weights in buffers of WebGPU are those of the model, bit for bit. */
async function sameBits({ modelFile, graph, sessionOptions }) {
  const model = await openModel(modelFile);
  const session = await ort.InferenceSession.create(graph, sessionOptions);
  const device = await ort.env.webgpu.device;
  let last;
  for await (const { feeds } of loadFeeds(model, { ort, session, device })) last = feeds;
  const tensors = await model.load({ as: 'source' });
  const same = [];
  for (const [name, { data }] of tensors) {
    const { type, gpuBuffer } = last[name];
    const size = Math.ceil(data.byteLength / 4) * 4;
    const copy = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(gpuBuffer, 0, copy, 0, size);
    device.queue.submit([encoder.finish()]);
    await copy.mapAsync(GPUMapMode.READ);
    const bytes = new Uint8Array(copy.getMappedRange());
    const expected = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    same.push(type === 'float16' && expected.every((byte, i) => byte === bytes[i]));
    copy.destroy();
    last[name].dispose();
  }
  await session.release();
  await model.close();
  return same;
}

async function main() {
  const read = async (name) => (await fetch(name)).arrayBuffer();
  const data = {
    images: new Float32Array(await read('images.bin')),
    labels: new Uint8Array(await read('labels.bin')),
  };
  const half = { ...data, modelFile: 'half.holo.safetensors', graph: 'half.onnx' };
  const bfloat = { ...data, modelFile: 'bfloat.holo.safetensors' };
  // What the runtime refuses is asked for on purpose.
  const logSeverityLevel = 4;
  const wasm = { sessionOptions: { executionProviders: ['wasm'], logSeverityLevel } };
  const gpu = {
    sessionOptions: { executionProviders: ['webgpu'], logSeverityLevel },
    device: () => ort.env.webgpu.device,
  };
  const refusalOf = (work) => work.then(() => 'none', String);
  const outcome = {
    half: await improveFeeds(ort, { ...half, ...wasm }),
    // Into inputs of F32: each number has a place there.
    bfloat: await improveFeeds(ort, { ...bfloat, ...wasm, graph: 'inputs.onnx' }),
    bfloatRefusal: await refusalOf(improveSessions(ort, { ...bfloat, ...wasm, graph: 'bfloat.onnx' })),
  };
  const adapter = await navigator.gpu?.requestAdapter();
  if (adapter == null) return outcome;
  const onGpu = {
    sameBits: await sameBits({ ...half, ...gpu }),
    bfloat: await improveFeeds(ort, { ...bfloat, ...gpu, graph: 'inputs.onnx' }),
  };
  const running = improveFeeds(ort, { ...half, ...gpu });
  if (adapter.features.has('shader-f16')) return { ...outcome, onGpu: { ...onGpu, half: await running } };
  return { ...outcome, onGpu: { ...onGpu, halfRefusal: await refusalOf(running) } };
}

main().then(
  (value) => {
    globalThis.outcome = { value };
  },
  (error) => {
    globalThis.outcome = { error: String(error.stack ?? error) };
  },
);
