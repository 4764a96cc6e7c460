/** What the command `calibrate` finds, by the library: the sessions are made here. */
import { readFile } from 'node:fs/promises';
import { openModel, viewBytes } from 'holostream';
import { calibrate, parseSafetensorsHeader } from 'holostream/formats';
import * as ort from 'onnxruntime-node';

const [graph, file, { buffer }] = await Promise.all(
  ['external.onnx', 'digits.safetensors', 'images.bin'].map(
    async (name) => new Uint8Array(await readFile(name)),
  ),
);
const header = parseSafetensorsHeader(file);
const images = new ort.Tensor('float32', new Float32Array(buffer, 0, 784 * 32), [32, 784]);

const model = await openModel('digits.safetensors');
const importance = await calibrate(await model.load(), async (weights) => {
  for (const { name, offset } of header.tensors) file.set(viewBytes(weights.get(name)), offset);
  const externalData = [{ path: 'digits.safetensors', data: file }];
  const session = await ort.InferenceSession.create(graph, { externalData });
  const { scores } = await session.run({ images });
  await session.release();
  return scores.data;
});
await model.close();
console.log(JSON.stringify(Object.fromEntries(importance)));
