import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { finish, type Steps } from '../../../src/async/steps.js';
import { rowMajor } from '../../../src/npy/elements.js';
import type { NpyHeader } from '../../../src/npy/header.js';
import { decodeFieldData } from '../../../src/onnx/fieldData.js';
import { ELEMENT_TYPES } from '../../../src/onnx/types.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { dequantizeWeight } from '../../../src/tfjs/weightsManifest.js';
import { stridedElements } from '../../../src/torch/stridedElements.js';
import { message } from '../../helpers/onnxWriter.js';
import { pseudoRandomBytes } from '../../helpers/random.js';

const test = suite('converting weights of other formats, in steps');

/** Elements in a step, at most: below ten milliseconds. */
const MOST = 2 ** 18;
const COUNT = 3 * MOST;

/** What work gives, and the steps that it took. */
function counted<T>(steps: Steps<T>): { readonly value: T; readonly steps: number } {
  for (let count = 1; ; count++) {
    const { done, value } = steps.next();
    if (done) return { value, steps: count };
  }
}

const npy = (shape: readonly number[], fortranOrder: boolean, bigEndian: boolean): NpyHeader =>
  ({ dtype: 'U16', shape, fortranOrder, bigEndian }) as unknown as NpyHeader;

const bytes = pseudoRandomBytes(2 * COUNT);
const swapped = Uint8Array.from(bytes, (_, i) => bytes[i ^ 1]!);
const words = new Uint16Array(bytes.buffer, bytes.byteOffset, COUNT);
const columns = viewBytes(
  Uint16Array.from({ length: COUNT }, (_, i) => words[(i % 3) * MOST + Math.floor(i / 3)]!),
);

const strided = (shape: readonly number[], strides: readonly number[], isBigEndian = false) =>
  stridedElements(bytes, { shape, strides, elementSize: 2, numberSize: 2, isBigEndian });

const CASES: readonly [string, () => Steps<Uint8Array>, Uint8Array][] = [
  ['elements of one row', () => strided([COUNT], [1]), bytes],
  ['rows of one element', () => strided([COUNT, 1], [1, 0]), bytes],
  ['a matrix that is transposed', () => strided([MOST, 3], [1, MOST]), columns],
  ['another order of bytes', () => strided([COUNT], [1], true), swapped],
  ['an array in Fortran order', () => rowMajor(npy([MOST, 3], true, false), bytes), columns],
  ['a big-endian array', () => rowMajor(npy([COUNT], false, true), bytes), swapped],
  [
    'quantized weights',
    () => dequantizeWeight(bytes.subarray(0, COUNT), 'F32', { width: 1, scale: 0.5, min: -3 }),
    viewBytes(Float32Array.from(bytes.subarray(0, COUNT), (q) => q * 0.5 - 3)),
  ],
  [
    'packed numbers of ONNX',
    () => decodeFieldData(message([[5, new Uint8Array(COUNT).fill(7)]]), ELEMENT_TYPES.get(2)!, COUNT),
    new Uint8Array(COUNT).fill(7),
  ],
  [
    'numbers of ONNX, one by one',
    // Field 5, a varint.
    () =>
      decodeFieldData(
        Uint8Array.from({ length: 2 * COUNT }, (_, i) => (i % 2 ? 7 : 0x28)),
        ELEMENT_TYPES.get(2)!,
        COUNT,
      ),
    new Uint8Array(COUNT).fill(7),
  ],
];

for (const [what, work, expected] of CASES) {
  test(`${what}: no step has more than ${MOST} elements`, () => {
    const { value, steps } = counted(work());
    assert.ok(Buffer.from(value.buffer, value.byteOffset, value.byteLength).equals(expected));
    assert.ok(steps >= COUNT / MOST, `${steps} steps`);
  });
}

test('what is in its order already is given as it is', () => {
  assert.is(finish(rowMajor(npy([COUNT], false, false), bytes)), bytes);
});

test.run();
