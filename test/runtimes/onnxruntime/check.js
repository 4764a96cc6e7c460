/** What the example does not show: element types of 16 bits, and weights that cannot be fed. */
import { readFile } from 'node:fs/promises';
import { openModel } from 'holostream';
import { loadFeeds } from 'holostream/onnxruntime';
import * as ort from 'onnxruntime-node';
import { improveFeeds, improveSessions } from './improve.js';

const { buffer } = new Uint8Array(await readFile('images.bin'));
const data = { images: new Float32Array(buffer), labels: await readFile('labels.bin') };

const half = await improveFeeds(ort, { ...data, modelFile: 'half.holo.safetensors', graph: 'half.onnx' });
const bfloat = await improveSessions(ort, {
  ...data,
  modelFile: 'bfloat.holo.safetensors',
  graph: await readFile('bfloat.onnx'),
});

const model = await openModel('digits.holo.safetensors');
const externalData = [{ path: 'digits.safetensors', data: await readFile('digits.safetensors') }];
const session = await ort.InferenceSession.create(await readFile('external.onnx'), { externalData });
let refusal;
try {
  loadFeeds(model, { ort, session });
} catch (error) {
  refusal = `${error.name}: ${error.message}`;
}
// What it guards against: the runtime takes no notice.
const images = new ort.Tensor('float32', data.images, [data.labels.length, 784]);
const zeros = new ort.Tensor('float32', new Float32Array(10), [10]);
const names = session.outputNames;
const [own, fed] = [await session.run({ images }), await session.run({ images, 'fc2.bias': zeros })];
const ignored = names.every(
  (name) => Buffer.compare(Buffer.from(own[name].data.buffer), Buffer.from(fed[name].data.buffer)) === 0,
);
await model.close();
console.log(JSON.stringify({ half, bfloat, refusal, ignored }));
