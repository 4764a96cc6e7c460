/** Runs an ONNX file, and what holostream has made of it, on the same inputs: prints how many outputs differ in a bit. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';

env.wasm.numThreads = 1;
env.logLevel = 'error';
const [original, folder, ...shapes] = process.argv.slice(2);
const name = basename(original, '.onnx');
const weights = `${name}.safetensors`;

const whole = await InferenceSession.create(await readFile(original));
const split = await InferenceSession.create(await readFile(join(folder, `${name}.onnx`)), {
  externalData: [{ path: weights, data: new Uint8Array(await readFile(join(folder, weights))) }],
});

/** One input of numbers, and perhaps one of a condition. */
function feedsOf(shape, which) {
  const sizes = shape.split('x').map(Number);
  const count = sizes.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, (_, i) => Math.abs(Math.sin(i / 7)));
  const [first, second] = whole.inputNames;
  const feeds = { [first]: new Tensor('float32', data, sizes) };
  return second === undefined ? feeds : { ...feeds, [second]: new Tensor('bool', [which], []) };
}

let [outputs, different] = [0, 0];
for (const shape of shapes) {
  for (const which of [true, false]) {
    const feeds = feedsOf(shape, which);
    const [expected, actual] = [await whole.run(feeds), await split.run(feeds)];
    for (const output of whole.outputNames) {
      outputs += 1;
      const [a, b] = [expected[output].data, actual[output].data];
      const bits = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);
      if (a.length === 0 || !bits(a).equals(bits(b))) different += 1;
    }
  }
}
console.log(JSON.stringify({ outputs, different }));
