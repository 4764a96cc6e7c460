import { test } from 'uvu';
import { float32ToBfloat16 } from '../../../../src/tensor/float.js';
import { float32ToFloat8 } from '../../../../src/tensor/float8.js';
import { checkReferenceDecoder, compareWithReference } from '../../../helpers/checks/embeddedReference.js';
import { noise, pseudoRandomBytes } from '../../../helpers/random.js';
import { trainedLike } from '../../../helpers/trained.js';

test('a decoder written from the format document agrees, on weights', () => {
  checkReferenceDecoder(trainedLike([60, 150]));
});

test('… on rows and columns of different scales, whose tiles end within rows', () => {
  const [rows, columns] = [90, 130];
  const values = noise(rows * columns).map((value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return value * 2 ** (3 * Math.sin(row) + 4 * Math.sin(7 * column));
  });
  const shape = [rows, columns];
  compareWithReference('F32', { dtype: 'F32', shape, data: values });
  compareWithReference('BF16', { dtype: 'BF16', shape, data: float32ToBfloat16(values) });
  compareWithReference('I8', { dtype: 'I8', shape, data: Int8Array.from(values, (value) => 3 * value) });
});

test('… on floats of eight bits, of any scale', () => {
  for (const dtype of ['F8_E4M3', 'F8_E5M2'] as const) {
    compareWithReference('patterns', { dtype, shape: [5000], data: pseudoRandomBytes(5000) });
    for (const scale of [100, 0.2, 0.05, 0.02, 0.003, 1e-4, 1e-6]) {
      const data = float32ToFloat8(
        dtype,
        noise(5000).map((value) => scale * value),
      );
      compareWithReference(`${dtype} of ${scale}`, { dtype, shape: [50, 100], data });
    }
  }
});

test('… on integers, on many zeros, and on everything that is special', () => {
  const bytes = pseudoRandomBytes(8000);
  compareWithReference('I8', { dtype: 'I8', shape: [8000], data: new Int8Array(bytes.buffer) });
  compareWithReference('patterns', { dtype: 'F16', shape: [4000], data: new Uint16Array(bytes.buffer) });
  const sparse = noise(5000).map((value, i) => (i % 7 === 0 ? value ** 3 : i % 11 === 0 ? -0 : 0));
  compareWithReference('sparse', { dtype: 'F32', shape: [5000], data: sparse });
  compareWithReference('sparse', { dtype: 'BF16', shape: [5000], data: float32ToBfloat16(sparse) });
  const tiny = noise(3000).map((value) => value * 1e-38);
  compareWithReference('subnormal', { dtype: 'F32', shape: [3000], data: tiny });
  compareWithReference('zeros', { dtype: 'F32', shape: [700], data: new Float32Array(700) });
  compareWithReference('empty', { dtype: 'F32', shape: [0], data: new Float32Array(0) });
  const outlier = noise(6000).with(99, 1e9);
  compareWithReference('outlier', { dtype: 'F32', shape: [6000], data: outlier });
});

test.run();
