import type { Model } from '../../../models/model.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { concatBytes } from '../../helpers/bytes.js';
import type { Reading } from '../target.js';

/** A tensor as one of several ways gives it. */
export interface ReadTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * All of them, in the order of their bytes: ways have orders of their own, and a name that no checksum protects must not
 * change the content.
 */
export function tensorsReading(tensors: readonly ReadTensor[]): Reading {
  const sorted = tensors.toSorted((a, b) => Buffer.compare(a.bytes, b.bytes) || (a.name < b.name ? -1 : 1));
  return {
    facts: JSON.stringify(sorted.map(({ name, dtype, shape }) => [name, dtype, shape])),
    content: concatBytes(sorted.map(({ bytes }) => bytes)),
  };
}

/** All tensors of a model, in their own dtypes. */
export async function loadedReading(model: Model): Promise<Reading> {
  const tensors = await model.load({ as: 'source' });
  return tensorsReading(
    Array.from(tensors.values(), ({ data, ...tensor }) => ({ ...tensor, bytes: viewBytes(data) })),
  );
}
