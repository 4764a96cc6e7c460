import { FormatError, TruncatedError } from '../errors.js';
import { viewElements } from '../tensor/tensor.js';
import { energyOf } from './energy.js';

/** Reads payloads that end in f32 values: those of spectral and random projection. */

/** @throws TruncatedError when the payload is shorter than `length` bytes */
export function checkLength(payload: Uint8Array, length: number, fragmentIndex: number): void {
  if (payload.length >= length) return;
  throw new TruncatedError('Cannot read the fragment payload: it is too short', {
    fragmentIndex,
    expected: `${length} bytes`,
    actual: payload.length,
  });
}

/** The first four bytes as a number; undefined when there are fewer. */
export function payloadMagic(payload: Uint8Array): number | undefined {
  if (payload.length < 4) return undefined;
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

/**
 * The f32 values from `offset` to the end of the payload, as a view where alignment allows, and their energy.
 * @throws FormatError when they are not `count`, or one of them is not finite
 */
export function readValues(
  payload: Uint8Array,
  offset: number,
  count: number,
  fragmentIndex: number,
): { readonly values: Float32Array; readonly energy: number } {
  const length = offset + 4 * count;
  checkLength(payload, length, fragmentIndex);
  if (payload.length !== length) {
    throw new FormatError('Cannot read the fragment payload: bytes follow its last value', {
      fragmentIndex,
      expected: `${length} bytes`,
      actual: payload.length,
    });
  }
  const values = viewElements('F32', payload.subarray(offset)) as Float32Array;
  return { values, energy: energyOfFragment(values, fragmentIndex) };
}

/** The energy of what has the largest norm that f32 holds; sums of an inverse transform stay below this norm. */
export const MAX_ENERGY = (2 ** 128 - 2 ** 103) ** 2;

/**
 * The energy of the coefficients that have arrived. Encoders refuse tensors with a larger one, and decoders would differ in
 * where their sums overflow.
 * @throws FormatError when it is too large
 */
export function energyWith(before: number, added: number, fragmentIndex: number): number {
  const energy = before + added;
  if (energy < MAX_ENERGY) return energy;
  throw new FormatError('Cannot read the fragment payload: its coefficients are too large', {
    fragmentIndex,
    expected: 'an L2 norm of at most 3.4e38',
    actual: Math.sqrt(energy),
  });
}

/**
 * The energy of the values of a fragment.
 * @throws FormatError when one of them is not finite
 */
export function energyOfFragment(values: Float32Array, fragmentIndex: number): number {
  const energy = energyOf(values);
  if (Number.isFinite(energy)) return energy;
  throw new FormatError('Cannot read the fragment payload: a coefficient is not finite', { fragmentIndex });
}
