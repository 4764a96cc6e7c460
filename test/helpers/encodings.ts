import * as assert from 'uvu/assert';
import type {
  DecodeRequest,
  EncodedFragments,
  EncodeRequest,
  Encoding,
  FragmentDecoder,
} from '../../src/encodings/encoding.js';
import { loadDtype } from '../../src/encodings/otherDtypes.js';
import { FormatError } from '../../src/errors.js';
import { portableKernels } from '../../src/kernels/portableKernels.js';
import type { DType } from '../../src/tensor/dtype.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { throws } from './assertions.js';

/** What the container does around encodings, in a few lines for their tests. */

// Of all dtypes: decoders are made here without what loads it with them.
await loadDtype('I8');

export interface Coded {
  readonly encoded: EncodedFragments;
  readonly request: DecodeRequest;
}

export function matrixOf(shape: readonly number[]): { rows: number; cols: number } {
  if (shape.length < 2) return { rows: 1, cols: shape[0] ?? 1 };
  return { rows: shape[0]!, cols: shape.slice(1).reduce((a, b) => a * b, 1) };
}

export function encodeRequest(tensor: Tensor<DType>, fragments: number, seed = 0n): EncodeRequest {
  return { tensor, fragments, seed, kernels: portableKernels, ...matrixOf(tensor.shape) };
}

export function encodeWith<O extends object>(
  encoding: Encoding<O>,
  tensor: Tensor<DType>,
  options: O,
  { fragments = 8, seed = 0n } = {},
): Coded {
  const { rows, cols, kernels } = encodeRequest(tensor, fragments, seed);
  const encoded = encoding.encode({ rows, cols, kernels, tensor, fragments, seed }, options);
  const { norm } = encoded;
  const request = {
    rows,
    cols,
    dtype: tensor.dtype,
    fragments: encoded.payloads.length,
    seed,
    norm,
    kernels,
  };
  return { encoded, request };
}

/** Adds these fragments and reconstructs. */
export function reconstruct(
  decoder: FragmentDecoder,
  { encoded, request }: Coded,
  fragments: Iterable<number>,
): Float32Array {
  for (const index of fragments) decoder.addFragment(index, encoded.payloads[index]!);
  const out = new Float32Array(request.rows * request.cols).fill(Number.NaN);
  decoder.reconstruct(out);
  return out;
}

/**
 * Refuses these payloads in place of fragment 0, and a fragment too many, at the start and after a fragment; nothing
 * changes by it.
 * @param check gets the tensor of all fragments, which came after that
 */
export function assertRefused(
  createDecoder: () => FragmentDecoder,
  coded: Coded,
  wrong: readonly Uint8Array[],
  check: (whole: Float32Array) => void,
): void {
  const { payloads } = coded.encoded;
  for (const before of [[], [1]]) {
    const decoder = createDecoder();
    reconstruct(decoder, coded, before);
    const { quality } = decoder;
    for (const payload of wrong) throws(() => decoder.addFragment(0, payload), FormatError);
    throws(() => decoder.addFragment(payloads.length, payloads[0]!), FormatError, /no such fragment/);
    assert.equal(decoder.quality, quality);
    check(reconstruct(decoder, coded, payloads.keys()));
  }
}

export function f32Tensor(shape: readonly number[], data: Float32Array): Tensor<DType> {
  return { dtype: 'F32', shape, data };
}

/** 0 where one of the two is zero everywhere, 1 where both are. */
export function cosineSimilarity(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  if (aa === 0 || bb === 0) return aa === bb ? 1 : 0;
  return dot / Math.sqrt(aa * bb);
}

/** ‖x − x̂‖ / ‖x‖ */
export function relativeError(original: Float32Array, reconstructed: Float32Array): number {
  let error = 0;
  let energy = 0;
  for (let i = 0; i < original.length; i++) {
    error += (original[i]! - reconstructed[i]!) ** 2;
    energy += original[i]! ** 2;
  }
  return Math.sqrt(error / energy);
}
