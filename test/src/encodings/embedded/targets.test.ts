import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { embedded } from '../../../../src/encodings/embedded/embedded.js';
import { FRAGMENT_INDEX_ENTRY_SIZE, HOLO_HEADER_SIZE } from '../../../../src/holotensor/constants.js';
import type { DType } from '../../../../src/tensor/dtype.js';
import { float32ToBfloat16 } from '../../../../src/tensor/float.js';
import type { Tensor } from '../../../../src/tensor/tensor.js';
import { viewBytes } from '../../../../src/tensor/views.js';
import { encodeWith } from '../../../helpers/encodings.js';
import { readWeights, WEIGHT_FILES } from '../../../helpers/weights.js';

/** Matrices and more that are large enough for headers not to decide. */
const TENSORS = WEIGHT_FILES.flatMap((file) => readWeights(file)).filter(
  ({ shape, data }) => shape.length >= 2 && data.length >= 60000,
);

const QUALITIES = [0.9, 0.99, 0.999];

interface Cost {
  readonly name: string;
  /** Bits a weight of the file up to the fragment that reaches each quality, all headers included. */
  readonly until: readonly number[];
  readonly total: number;
}

/** Encodes as by default, decodes to the last bit, and counts. */
function costOf(name: string, tensor: Tensor<DType>): Cost {
  const { encoded, request } = encodeWith(embedded, tensor, {});
  const { payloads, cosines } = encoded;
  const elements = request.rows * request.cols;
  let bytes = HOLO_HEADER_SIZE + FRAGMENT_INDEX_ENTRY_SIZE * payloads.length;
  const until: number[] = [];
  payloads.forEach((payload, k) => {
    bytes += payload.length;
    while (until.length < QUALITIES.length && cosines[k]! >= QUALITIES[until.length]!) {
      until.push((8 * bytes) / elements);
    }
  });
  const decoder = embedded.createDecoder(request, {});
  for (const [k, payload] of payloads.entries()) decoder.addFragment(k, payload);
  const out = new Uint8Array(tensor.data.byteLength);
  decoder.reconstructElements!(out);
  assert.is(Buffer.compare(out, viewBytes(tensor.data)), 0, name);
  return { name, until, total: (8 * bytes) / elements };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const F32 = TENSORS.map((tensor) => costOf(tensor.name, tensor));
const BF16 = TENSORS.map(({ name, shape, data }) =>
  costOf(name, { dtype: 'BF16', shape, data: float32ToBfloat16(data) }),
);

test('bits a weight until the cosine reaches 0.9, 0.99 and 0.999: mean and worst of all tensors', () => {
  const limits = [
    { mean: 1.49, worst: 1.8 },
    { mean: 3.18, worst: 3.43 },
    { mean: 4.86, worst: 5.05 },
  ];
  assert.is(TENSORS.length, 19);
  limits.forEach((limit, k) => {
    for (const costs of [F32, BF16]) {
      const bits = costs.map(({ until }) => until[k]!);
      assert.ok(mean(bits) <= limit.mean, `mean ${mean(bits)} at ${QUALITIES[k]}`);
      assert.ok(Math.max(...bits) <= limit.worst, `worst ${Math.max(...bits)} at ${QUALITIES[k]}`);
    }
  });
});

test('bits a weight of the whole, bit for bit', () => {
  assert.ok(mean(BF16.map(({ total }) => total)) <= 10.71);
  assert.ok(mean(F32.map(({ total }) => total)) <= 26.7);
});

test('every tensor of all real weights comes back bit for bit', () => {
  for (const file of WEIGHT_FILES) {
    for (const tensor of readWeights(file)) if (tensor.data.length < 60000) costOf(tensor.name, tensor);
  }
});

test.run();
