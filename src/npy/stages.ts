import { asBytes, type BytesLike } from '../bytes/binary.js';
import type { ByteQueue } from '../bytes/byteQueue.js';
import { type Grammar, GrammarStage, take } from '../bytes/grammar.js';
import {
  type AllLimits,
  allocating,
  Budget,
  checkTensorBytes,
  type LimitsOption,
  limitsOf,
} from '../checks/limits.js';
import { ArgumentError } from '../errors.js';
import type { Stage } from '../stage.js';
import { bfloat16ToFloat32 } from '../tensor/float.js';
import { unpackInt4 } from '../tensor/int4.js';
import { viewBytes, viewElements } from '../tensor/tensor.js';
import { isTransposed, littleEndian, Transposition } from './elements.js';
import { type NpyHeader, npyElementSize, npyHeader, parseNpyStart } from './header.js';

/** What a .npy file says of its array. */
export interface NpyStart extends Pick<NpyHeader, 'dtype' | 'shape' | 'byteLength'> {
  readonly kind: 'start';
}

/** The next elements, little-endian and row-major. */
export interface NpyData {
  readonly kind: 'data';
  readonly byteOffset: number;
  readonly bytes: Uint8Array;
}

/** What {@link NpyParser} gives out: once what a .npy file says of its array, then the elements. */
export type NpyPart = NpyStart | NpyData;

/** Bytes of elements that are converted at a time: whole elements of every dtype. */
const PIECE_SIZE = 2 ** 16;

/**
 * The bytes of a .npy file, cut anywhere, in; what it says of its array, and its elements out. An array in Fortran order
 * comes as a whole, when its last element has arrived. What follows the array is ignored, as NumPy does.
 */
export class NpyParser extends GrammarStage<NpyPart> {
  constructor(options?: LimitsOption) {
    const limits = limitsOf(options);
    super('NumPy', (queue) => parseNpy(queue, limits));
  }
}

function* parseNpy(queue: ByteQueue, limits: AllLimits): Grammar<void, NpyPart> {
  const header = yield* parseNpyStart(queue, limits);
  const { dtype, shape, byteLength } = header;
  yield { kind: 'start', dtype, shape, byteLength };
  let byteOffset = 0;
  for (const part of parseNpyElements(queue, header, limits)) {
    if (!(part instanceof Uint8Array)) {
      yield part;
      continue;
    }
    yield { kind: 'data', byteOffset, bytes: part };
    byteOffset += part.length;
  }
}

/** The grammar of the elements. */
export function* parseNpyElements(
  queue: ByteQueue,
  header: NpyHeader,
  limits: AllLimits,
): Grammar<void, Uint8Array> {
  const { byteLength } = header;
  const transposed = isTransposed(header);
  if (transposed) checkTensorBytes(limits, byteLength);
  const budget = new Budget(limits);
  const places = new Transposition(header);
  let waiting: Uint8Array[] = [];
  let out: Uint8Array | undefined;
  for (let at = 0; at < byteLength; at += PIECE_SIZE) {
    const bytes = yield* take(queue, 'elements', Math.min(PIECE_SIZE, byteLength - at));
    const piece = littleEndian(header, bytes);
    if (!transposed) {
      yield piece;
      continue;
    }
    // The shape is a claim: memory for all of it is taken when enough of its bytes are here.
    budget.received += piece.length;
    waiting.push(piece);
    if (budget.received === byteLength) budget.check({ bytes: byteLength, steps: 0 });
    if (byteLength > budget.most) continue;
    out ??= allocating(() => new Uint8Array(byteLength));
    for (const each of waiting) places.add(each, out);
    waiting = [];
  }
  if (out !== undefined) yield out;
}

/**
 * Converts the bytes of a tensor, cut anywhere, to a .npy file. The elements are little-endian and row-major,
 * as both formats and safetensors store them.
 */
export class NpyEncoder implements Stage<BytesLike, Uint8Array> {
  readonly #dtype: string;
  readonly #header: Uint8Array;
  readonly #elements: number;
  #started = false;
  #written = 0;
  /** The first half of a BF16 element whose second half is in the next chunk. */
  #half: number | undefined;

  /** @throws UnsupportedError for a dtype without a counterpart in NumPy */
  constructor(dtype: string, shape: readonly number[]) {
    this.#dtype = dtype;
    this.#header = npyHeader(dtype, shape);
    this.#elements = shape.reduce((product, dimension) => product * dimension, 1);
  }

  *push(input: BytesLike): Generator<Uint8Array> {
    const chunk = asBytes(input);
    yield* this.#begin();
    const out = this.#convert(chunk);
    this.#written += out.length;
    if (out.length > 0) yield out;
  }

  *flush(): Generator<Uint8Array> {
    yield* this.#begin();
    const size = this.#elements * npyElementSize(this.#dtype);
    if (this.#written !== size || this.#half !== undefined) {
      throw new ArgumentError('Cannot finish the .npy file: the bytes do not fill its shape', {
        expected: size,
        actual: this.#written,
      });
    }
  }

  *#begin(): Generator<Uint8Array> {
    if (this.#started) return;
    this.#started = true;
    yield this.#header;
  }

  #convert(chunk: Uint8Array): Uint8Array {
    if (this.#dtype === 'BF16') return this.#widen(chunk);
    if (this.#dtype !== 'I4') return chunk;
    // The last nibble of an odd count is padding.
    const count = Math.min(chunk.length * 2, this.#elements - this.#written);
    if (Math.ceil(count / 2) !== chunk.length) {
      throw new ArgumentError('Cannot write the .npy file: more bytes than its shape holds', {
        actual: chunk.length,
      });
    }
    return viewBytes(unpackInt4(chunk, count));
  }

  #widen(chunk: Uint8Array): Uint8Array {
    let bytes = chunk;
    if (this.#half !== undefined) {
      bytes = new Uint8Array(1 + chunk.length);
      bytes[0] = this.#half;
      bytes.set(chunk, 1);
    }
    const whole = bytes.length - (bytes.length % 2);
    this.#half = bytes[whole];
    return viewBytes(bfloat16ToFloat32(viewElements('BF16', bytes.subarray(0, whole)) as Uint16Array));
  }
}
