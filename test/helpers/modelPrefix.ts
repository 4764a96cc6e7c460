/** What a model is worth when only a part of its bytes has arrived, for several ways of sending it. */

import { loadDecodings } from '../../src/encodings/decodings.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { FRAGMENT_INDEX_ENTRY_SIZE, HOLO_HEADER_SIZE } from '../../src/holotensor/constants.js';
import { HoloTensorDecoder } from '../../src/holotensor/decoder.js';
import { type EncodedTensor, HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import type { HoloFragment } from '../../src/holotensor/fragment.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import type { Task, Weights } from './tasks/task.js';

await loadDecodings();

type Tensors = Task['tensors'];

/** Weights made of what `bytes` bytes bring. Fewer may be used: `used` says how many. */
export type Prefix = (bytes: number) => { readonly weights: Weights; readonly used: number };

/** The size of the tensors as they are. */
export function plainBytes(tensors: Tensors): number {
  return tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** The tensors one behind the other; what has not arrived is 0. */
export function plainPrefix(tensors: Tensors): Prefix {
  return (bytes) => {
    let left = Math.floor(bytes / Float32Array.BYTES_PER_ELEMENT);
    const weights = new Map<string, Float32Array>();
    for (const { name, data } of tensors) {
      const part = new Float32Array(data.length);
      part.set(data.subarray(0, left));
      left -= Math.min(left, data.length);
      weights.set(name, part);
    }
    return { weights, used: bytes };
  };
}

/**
 * Vectors as they are and all headers first; then the fragments of the matrices in the order of what they buy: next
 * comes always the one that raises its tensor's cosine similarity most for its bytes.
 */
export function fragmentPrefix(
  tensors: Tensors,
  encoding: HolographicEncoding,
  fragments: number,
  kernels: Kernels,
): Prefix {
  const encoder = new HoloTensorEncoder(encoding, { fragments, kernels });
  const coded = new Map<string, EncodedTensor>();
  let start = 0;
  for (const { name, shape, data } of tensors) {
    if (shape.length < 2) start += data.byteLength;
    else {
      const encoded = encoder.encode(data, shape);
      coded.set(name, encoded);
      start += HOLO_HEADER_SIZE + FRAGMENT_INDEX_ENTRY_SIZE * encoded.fragments.length;
    }
  }
  const order = byWorth(coded);
  return (bytes) => {
    const decoders = new Map(
      Array.from(coded, ([name, { header }]) => [name, new HoloTensorDecoder(header, { kernels })]),
    );
    let used = start;
    for (const { name, fragment } of order) {
      if (used + fragment.data.length > bytes) break;
      used += fragment.data.length;
      decoders.get(name)!.addFragment(fragment);
    }
    const weights = new Map(
      tensors.map(({ name, data }) => [name, decoders.get(name)?.reconstruct() ?? data] as const),
    );
    return { weights, used };
  };
}

interface Sent {
  readonly name: string;
  readonly fragment: HoloFragment;
}

function byWorth(coded: ReadonlyMap<string, EncodedTensor>): Sent[] {
  const queues = Array.from(coded, ([name, { fragments, cosines }]) =>
    fragments.map((fragment, k) => {
      const gain = cosines[k]! - (cosines[k - 1] ?? 0);
      return { name, fragment, worth: gain / fragment.data.length };
    }),
  );
  const order: Sent[] = [];
  for (;;) {
    const waiting = queues.filter((queue) => queue.length > 0);
    if (waiting.length === 0) return order;
    const best = waiting.reduce((a, b) => (b[0]!.worth > a[0]!.worth ? b : a));
    order.push(best.shift()!);
  }
}
