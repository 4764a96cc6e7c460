import { FormatError, TruncatedError } from '../errors.js';

/** Reads consecutive fields; every read is checked against the end. */
export class FieldReader {
  position = 0;
  readonly bytes: Uint8Array;
  readonly #what: string;
  #data: DataView | undefined;

  /** @param what names the structure in errors */
  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.#what = what;
  }

  /** Made when it is asked for: many readers read bytes alone, and making it takes longer than that. */
  get #view(): DataView {
    this.#data ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    return this.#data;
  }

  u8(): number {
    return this.bytes[this.skip(1)]!;
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  i16(): number {
    return this.#view.getInt16(this.skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  f32(): number {
    return this.#view.getFloat32(this.skip(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.skip(8), true);
  }

  /** A whole number up to 2^53 - 1. */
  varint(): number {
    const offset = this.position;
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (!Number.isSafeInteger(value)) {
        throw new FormatError(`Cannot read the ${this.#what}: a number is too large`, { offset });
      }
      if (byte < 0x80) return value;
      if (factor > Number.MAX_SAFE_INTEGER) {
        throw new FormatError(`Cannot read the ${this.#what}: a number is too long`, { offset });
      }
    }
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Passes over `length` bytes. @returns where they begin */
  skip(length: number): number {
    const start = this.position;
    if (length > this.bytes.length - start) {
      throw new TruncatedError(`Cannot read the ${this.#what}: it ends early`, {
        offset: start,
        expected: `${length} more bytes`,
        actual: this.bytes.length - start,
      });
    }
    this.position = start + length;
    return start;
  }
}

/** 0, -1, 1, -2 … as 0, 1, 2, 3 …: numbers near 0 stay small. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** The number that {@link zigzag} gives this one for. */
export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
