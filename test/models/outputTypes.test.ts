import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import type { LoadedTensor, OutputType } from '../../models/output.js';
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
  const alone = await (await model()).tensor('w', { quality: 1 });
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

test('floating-point tensors of all dtypes become what `as` says; others, and rare ones, keep their own', async () => {
  const tensors = {
    f64: { dtype: 'F64', shape: [2], data: Float64Array.of(1.5, 1 + 2 ** -40) },
    e4m3: { dtype: 'F8_E4M3', shape: [2], data: Uint8Array.of(0x38, 0xc0) },
    e5m2: { dtype: 'F8_E5M2', shape: [2], data: Uint8Array.of(0x3c, 0xc0) },
    e4m3fnuz: { dtype: 'F8_E4M3FNUZ', shape: [2], data: Uint8Array.of(0x40, 0xc8) },
    e5m2fnuz: { dtype: 'F8_E5M2FNUZ', shape: [2], data: Uint8Array.of(0x40, 0xc4) },
    i64: { dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, -2n) },
    bool: { dtype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
    f4: { dtype: 'F4', shape: [2], data: Uint8Array.of(0x12) },
    e8m0: { dtype: 'F8_E8M0', shape: [2], data: Uint8Array.of(127, 128) },
  } as const;
  const { bytes } = serializeSafetensorsHeader(
    Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
  );
  const file = concatBytes([bytes, ...Object.values(tensors).map(({ data }) => viewBytes(data))]);
  const expected = [1, -2];
  const opened = await openModel(file);
  const numbers = await opened.load();
  assert.equal(numbers.get('f64')!.data, Float32Array.of(1.5, 1));
  const patterns = await opened.load({ as: 'BF16' });
  for (const name of ['e4m3', 'e5m2', 'e4m3fnuz', 'e5m2fnuz']) {
    assert.is(numbers.get(name)!.dtype, 'F32');
    assert.equal(numbers.get(name)!.data, Float32Array.from(expected), name);
    assert.equal(patterns.get(name)!.data, Uint16Array.of(0x3f80, 0xc000), name);
  }
  const stored = await opened.load({ as: 'source' });
  for (const [name, { dtype, data }] of Object.entries(tensors)) {
    assert.equal(stored.get(name)!.data, data, name);
    if (/i64|bool|f4|e8m0/.test(name)) assert.equal(numbers.get(name), { ...stored.get(name)!, dtype });
  }
  await opened.close();
});

test.run();
