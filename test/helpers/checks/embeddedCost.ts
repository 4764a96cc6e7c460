import * as assert from 'uvu/assert';
import { embedded } from '../../../src/encodings/embedded/embedded.js';
import { FRAGMENT_INDEX_ENTRY_SIZE, HOLO_HEADER_SIZE } from '../../../src/holotensor/constants.js';
import type { DType } from '../../../src/tensor/dtype.js';
import { float32ToBfloat16 } from '../../../src/tensor/float.js';
import { type Tensor, viewBytes } from '../../../src/tensor/tensor.js';
import { encodeWith } from '../encodings.js';
import type { NamedTensor } from '../trained.js';

const QUALITIES = [0.9, 0.99, 0.999] as const;

interface Cost {
  /** Bits a weight of the file up to the fragment that reaches each quality, all headers included. */
  readonly until: readonly number[];
  readonly total: number;
}

/** Encodes as by default, decodes to the last bit, and counts. */
export function embeddedCost(name: string, tensor: Tensor<DType>): Cost {
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
  return { until, total: (8 * bytes) / elements };
}

export interface CostLimits {
  /** Of the mean and of the worst tensor, bits a weight until the cosine reaches 0.9, 0.99 and 0.999. */
  readonly until: readonly { readonly mean: number; readonly worst: number }[];
  /** Of the mean, bits a weight of the whole, bit for bit. */
  readonly bf16: number;
  readonly f32: number;
}

/** Asserts what tensors cost as F32 and as BF16. */
export function checkEmbeddedCost(tensors: readonly NamedTensor[], limits: CostLimits): void {
  const f32 = tensors.map((tensor) => embeddedCost(tensor.name, tensor));
  const bf16 = tensors.map(({ name, shape, data }) =>
    embeddedCost(name, { dtype: 'BF16', shape, data: float32ToBfloat16(data) }),
  );
  limits.until.forEach((limit, k) => {
    for (const costs of [f32, bf16]) {
      const bits = costs.map(({ until }) => until[k]!);
      assert.ok(mean(bits) <= limit.mean, `mean ${mean(bits)} at ${QUALITIES[k]}`);
      assert.ok(Math.max(...bits) <= limit.worst, `worst ${Math.max(...bits)} at ${QUALITIES[k]}`);
    }
  });
  const whole = [bf16, f32].map((costs) => mean(costs.map(({ total }) => total)));
  assert.ok(whole[0]! <= limits.bf16 && whole[1]! <= limits.f32, `${whole}`);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
