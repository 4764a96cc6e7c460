import { concatBytes } from '../../helpers/bytes.js';
import type { Reading } from '../target.js';

/** A tensor as one of several ways gives it. */
export interface ReadTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** All of them, compared by their names, because the order of tensors is that of no way alone. */
export function tensorsReading(tensors: readonly ReadTensor[]): Reading {
  const sorted = tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    facts: JSON.stringify(sorted.map(({ name, dtype, shape }) => [name, dtype, shape])),
    content: concatBytes(sorted.map(({ bytes }) => bytes)),
  };
}
