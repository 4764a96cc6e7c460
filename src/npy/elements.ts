import type { Steps } from '../async/steps.js';
import { allocating } from '../checks/limits.js';
import { elementCount } from '../tensor/dtype.js';
import { type NpyHeader, npyElementSize } from './header.js';

/** The elements of a .npy file in the order that all other formats have: little-endian, row-major. */

/** The bytes of whole elements, little-endian: the same memory where they are so already. */
export function littleEndian(header: NpyHeader, bytes: Uint8Array): Uint8Array {
  const size = swappedSize(header);
  if (size === 1) return bytes;
  const swapped = new Uint8Array(bytes.length);
  for (let start = 0; start < bytes.length; start += size) {
    for (let i = 0; i < size; i++) swapped[start + i] = bytes[start + size - 1 - i]!;
  }
  return swapped;
}

/** Bytes whose order is the other one; 1 where none is. A complex number is two numbers. */
function swappedSize({ dtype, bigEndian }: NpyHeader): number {
  if (!bigEndian) return 1;
  return dtype === 'C64' ? 4 : npyElementSize(dtype);
}

/** Bytes that one step of work puts in order; whole elements, whatever their size. */
const STEP = 2 ** 18;

/** All elements, little-endian and row-major: the same memory where they are so already. */
export function* rowMajor(header: NpyHeader, bytes: Uint8Array): Steps<Uint8Array> {
  const transposition = isTransposed(header) ? new Transposition(header) : undefined;
  if (transposition === undefined && swappedSize(header) === 1) return bytes;
  const out = allocating(() => new Uint8Array(bytes.length));
  for (let at = 0; at < bytes.length; at += STEP) {
    const elements = littleEndian(header, bytes.subarray(at, at + STEP));
    if (transposition === undefined) out.set(elements, at);
    else transposition.add(elements, out);
    yield;
  }
  return out;
}

/** Whether elements in Fortran order are in another order than row-major: not those of vectors. */
export function isTransposed({ fortranOrder, shape }: NpyHeader): boolean {
  return fortranOrder && shape.filter((dimension) => dimension > 1).length > 1 && !shape.includes(0);
}

interface WordArray {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Uint8Array | Uint16Array | Uint32Array;
}

/** Puts elements that come in Fortran order into their places. */
export class Transposition {
  readonly #shape: readonly number[];
  /** Elements between neighbours along each dimension, in row-major order. */
  readonly #strides: readonly number[];
  /** Of the next element: its place along each dimension, and in all. */
  readonly #at: number[];
  #place = 0;
  /** 32-bit words of an element, or 1. */
  readonly #words: number;
  readonly #Words: WordArray;

  constructor({ dtype, shape }: NpyHeader) {
    const size = npyElementSize(dtype);
    this.#shape = shape;
    this.#at = shape.map(() => 0);
    this.#words = Math.ceil(size / 4);
    this.#Words = size === 1 ? Uint8Array : size === 2 ? Uint16Array : Uint32Array;
    this.#strides = shape.map((_, k) => elementCount(shape.slice(k + 1)));
  }

  /**
   * @param bytes the next elements, whole ones
   * @param out all of them
   */
  add(bytes: Uint8Array, out: Uint8Array): void {
    const Words = this.#Words;
    const words = this.#words;
    const { BYTES_PER_ELEMENT: size } = Words;
    const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
    const from = new Words(aligned.buffer, aligned.byteOffset, bytes.length / size);
    const to = new Words(out.buffer, out.byteOffset, out.length / size);
    const [rows = 1] = this.#shape;
    const [step = 1] = this.#strides;
    for (let next = 0; next < from.length; ) {
      // Along the first dimension; all others stay.
      const run = Math.min(rows - this.#at[0]!, (from.length - next) / words);
      let place = this.#place * words;
      for (let i = 0; i < run; i++, place += step * words) {
        for (let word = 0; word < words; word++) to[place + word] = from[next++]!;
      }
      this.#advance(run);
    }
  }

  #advance(run: number): void {
    let count = run;
    for (let k = 0; k < this.#shape.length; k++) {
      this.#at[k]! += count;
      this.#place += count * this.#strides[k]!;
      if (this.#at[k]! < this.#shape[k]!) return;
      this.#place -= this.#shape[k]! * this.#strides[k]!;
      this.#at[k] = 0;
      count = 1;
    }
  }
}
