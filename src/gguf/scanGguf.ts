/** The head of a GGUF file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */

import { readU64, viewOf } from '../bytes/binary.js';
import { decodeText } from '../bytes/json.js';
import type { Scan, ScanWindow } from '../bytes/scan.js';
import { type AllLimits, checkLimit, type LimitsOption, limitsOf } from '../checks/limits.js';
import { FormatError, LimitError, UnsupportedError } from '../errors.js';

/** A tensor of a GGUF file. */
export interface GgufTensor {
  readonly name: string;
  /** With the dimension whose elements are neighbours last, as other formats have it; GGUF has it first. */
  readonly shape: readonly number[];
  /** The number of its type in ggml. */
  readonly type: number;
  /** Of its first byte in the file. */
  readonly offset: number;
}

export interface GgufHead {
  readonly tensors: readonly GgufTensor[];
  /** Where the tensors may begin. */
  readonly dataStart: number;
}

const WHAT = 'Cannot read the GGUF file';

const VERSIONS = [2, 3];

/** Bytes of the types of values, by their numbers; 8 is text, 9 a list. */
const VALUE_SIZES = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const U32 = 4;
const TEXT = 8;
const LIST = 9;

/** Lists in lists. */
const MAX_DEPTH = 8;

/** Names of tensors and keys; ggml allows 64 and 65,535 bytes. */
const MAX_NAME_BYTES = 65536;

const ALIGNMENT_KEY = 'general.alignment';
const DEFAULT_ALIGNMENT = 32;

/**
 * Reads which tensors a GGUF file has, and skips what else its head says.
 * @throws FormatError, TruncatedError, UnsupportedError, LimitError
 */
export function* scanGguf(window: ScanWindow, options: LimitsOption): Scan<GgufHead> {
  return yield* new GgufScanner(window, limitsOf(options)).head();
}

class GgufScanner {
  readonly #window: ScanWindow;
  readonly #limits: AllLimits;
  #at = 0;
  #alignment = DEFAULT_ALIGNMENT;

  constructor(window: ScanWindow, limits: AllLimits) {
    this.#window = window;
    this.#limits = limits;
  }

  *head(): Scan<GgufHead> {
    this.#at = 4;
    const version = yield* this.#u32();
    if (!VERSIONS.includes(version)) {
      throw new UnsupportedError(`${WHAT}: its version, or its order of bytes, is not supported`, {
        expected: VERSIONS,
        actual: version,
      });
    }
    const count = yield* this.#u64();
    checkLimit(this.#limits, 'tensors', count, `${WHAT}: it has too many tensors`);
    const values = yield* this.#u64();
    for (let i = 0; i < values; i++) yield* this.#keyAndValue();
    const tensors: GgufTensor[] = [];
    for (let i = 0; i < count; i++) tensors.push(yield* this.#tensor());
    const dataStart = this.#aligned(this.#at);
    return { tensors: tensors.map((one) => ({ ...one, offset: dataStart + one.offset })), dataStart };
  }

  *#keyAndValue(): Scan<void> {
    const key = yield* this.#text();
    const type = yield* this.#u32();
    if (key !== ALIGNMENT_KEY) return yield* this.#skipValue(type, 0);
    const alignment = type === U32 ? yield* this.#u32() : 0;
    if (alignment === 0 || alignment % 8 !== 0) {
      throw new FormatError(`${WHAT}: its alignment is not a multiple of 8`, { actual: alignment });
    }
    this.#alignment = alignment;
  }

  *#skipValue(type: number, depth: number): Scan<void> {
    if (type === TEXT) return this.#skip(yield* this.#u64());
    if (type !== LIST) return this.#skip(this.#sizeOf(type));
    if (depth === MAX_DEPTH) throw new LimitError(`${WHAT}: its lists are nested too deeply`);
    const inner = yield* this.#u32();
    const length = yield* this.#u64();
    if (inner !== TEXT && inner !== LIST) return this.#skip(length * this.#sizeOf(inner));
    for (let i = 0; i < length; i++) yield* this.#skipValue(inner, depth + 1);
  }

  #sizeOf(type: number): number {
    const size = VALUE_SIZES[type];
    if (size !== undefined) return size;
    throw new FormatError(`${WHAT}: a value has a type that is not known`, {
      offset: this.#at,
      actual: type,
    });
  }

  *#tensor(): Scan<GgufTensor> {
    const name = yield* this.#text();
    const rank = yield* this.#u32();
    checkLimit(this.#limits, 'rank', rank, `${WHAT}: a tensor has too many dimensions`, { tensor: name });
    const shape: number[] = [];
    for (let i = 0; i < rank; i++) shape.push(yield* this.#u64());
    const type = yield* this.#u32();
    const offset = yield* this.#u64();
    if (offset % this.#alignment !== 0) {
      const details = { tensor: name, expected: `a multiple of ${this.#alignment}`, actual: offset };
      throw new FormatError(`${WHAT}: a tensor is not aligned`, details);
    }
    return { name, shape: shape.reverse(), type, offset };
  }

  *#text(): Scan<string> {
    const length = yield* this.#u64();
    if (length > MAX_NAME_BYTES) {
      const details = { offset: this.#at, expected: `at most ${MAX_NAME_BYTES} bytes`, actual: length };
      throw new LimitError(`${WHAT}: a name is too long`, details);
    }
    return decodeText(yield* this.#take(length), WHAT);
  }

  *#u32(): Scan<number> {
    return viewOf(yield* this.#take(4)).getUint32(0, true);
  }

  *#u64(): Scan<number> {
    return readU64(viewOf(yield* this.#take(8)), 0, 'Cannot read the GGUF file: a number in it');
  }

  *#take(length: number): Scan<Uint8Array> {
    const bytes = yield* this.#window.take(this.#at, length);
    this.#at += length;
    this.#checkSize();
    return bytes;
  }

  #skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#window.size) {
      const details = { expected: `at least ${this.#at} bytes`, actual: this.#window.size };
      throw new FormatError(`${WHAT}: a value is longer than the file`, details);
    }
    this.#checkSize();
  }

  #checkSize(): void {
    checkLimit(this.#limits, 'headerBytes', this.#at, `${WHAT}: its head is too large`);
  }

  #aligned(position: number): number {
    return Math.ceil(position / this.#alignment) * this.#alignment;
  }
}
