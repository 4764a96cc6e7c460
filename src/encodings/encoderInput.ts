import { check, flag, type Rule, wholeNumber } from '../checks/options.js';
import { optional, record, uint64 } from '../checks/rules.js';
import { ArgumentError, UnsupportedError } from '../errors.js';
import { KERNELS } from '../kernels/loadKernels.js';
import { storedToFloat32 } from '../tensor/numbers.js';
import { typedArray } from '../tensor/tensor.js';
import { TENSOR } from '../tensor/tensorRule.js';
import type { EncodeMemory, EncodeRequest } from './encoding.js';
import { energyOf } from './energy.js';

/** The number of fragments is a u16 in headers. */
const MAX_FRAGMENTS = 0xffff;

const MEMORY: Rule<EncodeMemory> = /* @__PURE__ */ record<EncodeMemory>({
  mayOverwrite: /* @__PURE__ */ optional(flag),
  payloads: /* @__PURE__ */ optional(/* @__PURE__ */ typedArray<Uint8Array>('Uint8Array')),
});

const REQUEST: Rule<EncodeRequest> = /* @__PURE__ */ record<EncodeRequest>({
  rows: /* @__PURE__ */ wholeNumber(),
  cols: /* @__PURE__ */ wholeNumber(),
  tensor: TENSOR,
  fragments: /* @__PURE__ */ wholeNumber(1, MAX_FRAGMENTS),
  seed: uint64,
  kernels: KERNELS,
  memory: /* @__PURE__ */ optional(MEMORY),
});

/** @throws ArgumentError for what no encoder takes */
export function checkRequest(request: EncodeRequest): void {
  check('request', request, REQUEST);
}

/** Requirements of spectral, random projection and low-rank on a tensor, because they mix its elements in f32. */

/** Payloads count coefficients in a u32. */
const MAX_COEFFICIENTS = 2 ** 32 - 1;

/**
 * The numbers of the tensor to encode, rows × cols of them; for F32 the tensor's own array.
 * @throws ArgumentError when the matrix does not have the tensor's size
 * @throws UnsupportedError when a u32 cannot count the elements
 */
export function numbersOf(request: EncodeRequest): Float32Array {
  checkRequest(request);
  const { tensor, rows, cols } = request;
  if (rows * cols > MAX_COEFFICIENTS) {
    throw new UnsupportedError('Cannot encode the tensor: too many elements for this encoding', {
      expected: `at most ${MAX_COEFFICIENTS}`,
      actual: rows * cols,
    });
  }
  const values = storedToFloat32(tensor);
  if (values.length === rows * cols) return values;
  throw new ArgumentError('Cannot encode the tensor: wrong number of elements', {
    expected: rows * cols,
    actual: values.length,
  });
}

/**
 * Refuses NaNs and infinities, which would corrupt the whole tensor.
 * @throws ArgumentError naming the first index (row-major) whose value is not finite
 */
export function assertFinite(values: Float32Array): void {
  let index = 0;
  while (index < values.length && Number.isFinite(values[index])) index += 1;
  if (index === values.length) return;
  throw new ArgumentError(`Cannot encode element ${index} with this encoding`, {
    expected: 'a finite number',
    actual: values[index],
  });
}

/**
 * Checks a tensor by its energy, which equals that of its coefficients.
 * @throws ArgumentError for a value that is not finite, naming its index, and for a norm beyond f32: coefficients
 *   can be as large as the norm
 */
export function assertTransformable(values: Float32Array, energy: number): void {
  if (!Number.isFinite(energy)) assertFinite(values);
  const norm = Math.sqrt(energy);
  if (!Number.isFinite(Math.fround(norm))) {
    throw new ArgumentError('Cannot encode the tensor: its L2 norm is too large for f32', {
      expected: 'at most 3.4e38',
      actual: norm,
    });
  }
}

/** The energy of a tensor that can be encoded. @throws ArgumentError as `assertTransformable` does */
export function energyOfInput(values: Float32Array): number {
  const energy = energyOf(values);
  assertTransformable(values, energy);
  return energy;
}
