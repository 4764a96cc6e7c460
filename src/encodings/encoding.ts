import type { Steps } from '../async/steps.js';
import type { ReusedMemory } from '../bytes/reusedMemory.js';
import type { Cost } from '../checks/limits.js';
import { check, oneOf, type Rule } from '../checks/options.js';
import { FormatError } from '../errors.js';
import type { KernelSubject, Kernels } from '../kernels/kernels.js';
import { type DType, elementCount } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';

/** How a tensor is cut into fragments. */
export type HolographicEncoding = 'spectral' | 'random-projection' | 'low-rank' | 'embedded';

/** The code of each encoding in HoloTensor headers: 0 to 2 are the reference's, 16 is holostream's. */
export const ENCODING_CODES: { readonly [E in HolographicEncoding]: number } = {
  spectral: 0,
  'random-projection': 1,
  'low-rank': 2,
  embedded: 16,
};

/** Of names that may come from a caller. */
export const ENCODING_NAME: Rule<HolographicEncoding> = (name) =>
  oneOf<unknown>(Object.keys(ENCODING_CODES))(name);

/** Elements between multiples of this are decoded without the others: a `range` begins and ends there. */
export const RANGE_STEPS: { readonly [E in HolographicEncoding]?: number } = { embedded: 0x10000 };

/** @throws FormatError for a code that no encoding has */
export function encodingFromCode(code: number, offset?: number): HolographicEncoding {
  for (const name in ENCODING_CODES) {
    if (ENCODING_CODES[name as HolographicEncoding] === code) return name as HolographicEncoding;
  }
  throw new FormatError('Cannot read the encoding: unknown code', {
    offset,
    expected: Object.entries(ENCODING_CODES).map(([name, known]) => `${known} (${name})`),
    actual: code,
  });
}

/**
 * An entry of a table, for a name that may come from a caller.
 * @throws ArgumentError for a name that no encoding has
 */
export function byEncoding<T>(table: Readonly<Record<HolographicEncoding, T>>, name: HolographicEncoding): T {
  check('encoding', name, ENCODING_NAME);
  return table[name];
}

/** The matrix that a shape is treated as: rank 0 is 1×1, rank 1 is 1×n, rank 3 and more is first × the rest. */
export interface MatrixShape {
  readonly rows: number;
  readonly cols: number;
}

export function matrixShape(shape: readonly number[]): MatrixShape {
  const axes = shape.length < 2 ? 0 : 1;
  return { rows: elementCount(shape.slice(0, axes)), cols: elementCount(shape.slice(axes)) };
}

/** Memory that an encoder may use in place of new memory, which the system must map, and the engine collects. */
export interface EncodeMemory {
  /** The elements are not needed afterwards: what is encoded of them may take their place. */
  readonly mayOverwrite?: boolean | undefined;
  /** Where payloads may go, if it has room for all of them. */
  readonly payloads?: Uint8Array | undefined;
}

/** The input of every encoder. */
export interface EncodeRequest extends MatrixShape {
  readonly tensor: Tensor<DType>;
  /** How many fragments to cut, 1 to 65535. */
  readonly fragments: number;
  readonly seed: bigint;
  readonly kernels: Kernels;
  /** Default: new memory. */
  readonly memory?: EncodeMemory | undefined;
}

/** What an encoder makes of a tensor. */
export interface EncodedFragments extends EncodedFacts {
  /** One payload per fragment, as it is stored before any compression. */
  readonly payloads: readonly Uint8Array[];
}

/** What an encoder says of the fragments that it has made of a tensor. */
export interface EncodedFacts {
  /** L2 norm of the tensor. */
  readonly norm: number;
  /** True cosine similarity of the reconstruction from fragments 0..k with the tensor, for each k. */
  readonly cosines: readonly number[];
  /** Each fragment adds at most as much quality as the one before it. */
  readonly essentialFirst: boolean;
  /** Any subset of the same size reconstructs with the same quality. */
  readonly interleaved: boolean;
  /** Fewest fragments from which a reconstruction is useful; the header stores it. */
  readonly minimumFragments: number;
}

/** Elements `start` (inclusive) to `end` (exclusive) of a tensor, row-major. */
export interface ElementRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What a decoder knows before the first fragment, from the HoloTensor header, and the kernels that it uses: those of
 * these subjects, and others that happen to be loaded.
 */
export interface DecodeRequest<S extends KernelSubject = KernelSubject> extends MatrixShape {
  readonly dtype: DType;
  readonly fragments: number;
  readonly seed: bigint;
  /** L2 norm of the tensor, if the file has it. Without it, no true quality is known. */
  readonly norm: number | undefined;
  /** The elements to reconstruct. Default: all. Only for encodings with a range step. */
  readonly range?: ElementRange | undefined;
  readonly kernels: Kernels<S> & Partial<Kernels>;
  /** Of what decodes one tensor after another, for what {@link FragmentDecoder.free} frees. */
  readonly stateMemory?: ReusedMemory | undefined;
}

/**
 * The quality of a reconstruction, by three separate measures:
 * `fraction` of the parts that have arrived (the reference's "quality"), in [0, 1];
 * `cosine` similarity with the original and `relativeError` ‖x − x̂‖ / ‖x‖: true values, undefined if the file
 * does not determine them. The container adds the third, the prediction of the header's curve.
 */
export interface EncodingQuality {
  readonly fraction: number;
  readonly cosine: number | undefined;
  readonly relativeError: number | undefined;
}

/** Fragments that are about to be added together. */
export interface TogetherAdded {
  /** What adding them takes at most; the memory stays in use. */
  readonly cost: Cost;
  /** Adds them, or none of them. @throws FormatError */
  readonly steps: Steps<void>;
}

/**
 * Collects fragments in any order and reconstructs the best tensor from them. It states the cost of each step before, and
 * allocates nothing that depends on the size of the tensor before the first fragment.
 */
export interface FragmentDecoder {
  /** What adding this payload takes at most; the memory stays in use. Nothing of the payload has been checked. */
  costOfAdding(index: number, payload: Uint8Array): Cost;
  /**
   * The decoder may keep `payload` instead of copying it: its bytes must not change afterwards.
   * @returns false when this fragment had been added before (it counts once)
   * @throws FormatError when the payload is malformed or belongs to another tensor, UnsupportedError when it has another
   *   version; the decoder stays as it was
   */
  addFragment(index: number, payload: Uint8Array): boolean;
  /**
   * The same in steps, where it can take long. Between them, and if they are left, reconstructions are those of a part of
   * the fragment.
   */
  adding?(index: number, payload: Uint8Array): Steps<boolean>;
  /**
   * Fragments 0, 1, … before any other, where that takes less time than one by one.
   * @throws FormatError
   */
  together?(payloads: readonly Uint8Array[]): TogetherAdded;
  readonly quality: EncodingQuality;
  /** Fragments that a reconstruction uses; others may wait for one that is missing. Default: all. */
  readonly usableFragments?: number;
  /** What the next reconstruction takes at most; the memory is in use only meanwhile. */
  costOfReconstructing(): Cost;
  /**
   * Writes rows × cols values, or those of the range.
   * @throws FormatError when a fragment is found malformed only now; it counts as not added
   */
  reconstruct(out: Float32Array): void;
  /** The same in steps, where it can take long. */
  reconstructing?(out: Float32Array): Steps<void>;
  /** Lossless encodings: writes the elements in the tensor's own dtype, bit for bit once complete. */
  reconstructElements?(out: Uint8Array): void;
  /**
   * Beside {@link reconstructElements}, always: the same in steps.
   * @param isLast frees on the way what the fragments made, which takes as long to make again
   */
  reconstructingElements?(out: Uint8Array, isLast?: boolean): Steps<void>;
  /** Frees what is large of what it has made. It is not used any more. */
  free?(): void;
}

/** The decoding half of an encoding. Programs that only decode load nothing of the other half. */
export interface Decoding<DecodeOptions extends object = object, S extends KernelSubject = KernelSubject> {
  readonly name: HolographicEncoding;
  /** Makes the decoder of one tensor, to which fragments are added. */
  readonly createDecoder: (request: DecodeRequest<S>, options: DecodeOptions) => FragmentDecoder;
}

/**
 * One way of cutting tensors into fragments: a folder, and a line in each of the tables `encodings/encodings.ts` and
 * `encodings/decodings.ts`. Options are the encoding's own (layout, rank, …); `{}` must mean the defaults.
 */
export interface Encoding<EncodeOptions extends object = object, DecodeOptions extends object = object>
  extends Decoding<DecodeOptions> {
  /** @throws ArgumentError for options that cannot work */
  createEncoder(options: EncodeOptions): FragmentEncoder;
  /**
   * The same, for one tensor.
   * @throws ArgumentError for options that cannot work, and what the encoder throws
   */
  encode(request: EncodeRequest, options: EncodeOptions): EncodedFragments;
}

export interface FragmentEncoder {
  /**
   * @throws ArgumentError for a NaN or infinity where the encoding cannot carry it, naming the index (see
   *   `assertFinite`)
   */
  encode(request: EncodeRequest): EncodedFragments;
  /** The same in steps of some milliseconds, where it can take long. */
  encoding?(request: EncodeRequest): Steps<EncodedFragments>;
}

/** Both halves together. Mark calls as pure: bundlers then leave out encoders that are not used. */
export function withEncoder<EncodeOptions extends object, DecodeOptions extends object>(
  decoding: Decoding<DecodeOptions>,
  createEncoder: (options: EncodeOptions) => FragmentEncoder,
): Encoding<EncodeOptions, DecodeOptions> {
  return {
    ...decoding,
    createEncoder,
    encode: (request, options) => createEncoder(options).encode(request),
  };
}
