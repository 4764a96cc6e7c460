import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import type { LoadedTensor, OutputType } from '../../models/tensorState.js';
import { bytesSource } from '../../sources/bytes.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { concatBytes } from '../helpers/bytes.js';

const test = suite('types of loaded tensors');

/** Compiles only where both types are the same. */
function same<A, B>(
  ..._: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never]
) {}

/** What a runtime takes for weights, TensorFlow.js's `tensor2d` and ONNX Runtime's `Tensor` among them. */
const takeFloats = (data: Float32Array) => data.length;

const model = () => {
  const { bytes } = serializeSafetensorsHeader([{ name: 'w', dtype: 'F32', shape: [2] }]);
  return openModel(bytesSource(concatBytes([bytes, viewBytes(Float32Array.of(1, 2))])));
};

test('the default output is a Float32Array', async () => {
  const tensors = await (await model()).load();
  const tensor = tensors.get('w')!;
  same<typeof tensor, LoadedTensor>();
  assert.is(takeFloats(tensor.data), 2);
  const alone = await (await model()).tensor('w', { quality: 1, output: 'swap' });
  assert.is(takeFloats(alone.data), 2);
});

test('the option `as` decides the type', async () => {
  const half = await (await model()).tensor('w', { as: 'BF16' });
  same<typeof half.data, Uint16Array>();
  assert.instance(half.data, Uint16Array);
  const stored = (await (await model()).load({ as: 'source' })).get('w')!;
  // @ts-expect-error: it may be any array
  takeFloats(stored.data);
  const chosen: OutputType = Math.random() < 2 ? 'F32' : 'BF16';
  const either = await (await model()).tensor('w', { as: chosen as 'F32' | 'BF16' });
  same<typeof either.data, Float32Array | Uint16Array>();
  assert.instance(either.data, Float32Array);
});

test('updates have the type that some load asked for', async () => {
  const opened = await model();
  let updates = 0;
  opened.updates$.subscribe((tensor) => {
    // @ts-expect-error: it may be any array
    const exact: LoadedTensor = tensor;
    if (exact.data instanceof Float32Array) updates += takeFloats(exact.data);
  });
  await opened.load();
  assert.is(updates, 2);
});

test.run();
