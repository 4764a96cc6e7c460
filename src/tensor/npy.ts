import { asBytes, type BytesLike } from '../bytes/binary.js';
import { ArgumentError, UnsupportedError } from '../errors.js';
import { check } from '../options.js';
import { text } from '../rules.js';
import type { Stage } from '../stage.js';
import { SHAPE } from './dtype.js';
import { bfloat16ToFloat32 } from './float.js';
import { unpackInt4 } from './int4.js';
import { viewBytes, viewElements } from './tensor.js';

/**
 * NumPy's file format for one array, versions 1.0 and 2.0:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * NumPy has no bfloat16 and no 4-bit integers. BF16 is written as float32, which holds every bfloat16 exactly, and I4
 * as int8: NumPy would load a file of raw 16-bit words as other numbers.
 */
const DESCRIPTORS: ReadonlyMap<string, string> = new Map([
  ['BOOL', '|b1'],
  ['U8', '|u1'],
  ['I8', '|i1'],
  ['I4', '|i1'],
  ['U16', '<u2'],
  ['I16', '<i2'],
  ['F16', '<f2'],
  ['U32', '<u4'],
  ['I32', '<i4'],
  ['F32', '<f4'],
  ['BF16', '<f4'],
  ['U64', '<u8'],
  ['I64', '<i8'],
  ['F64', '<f8'],
  ['C64', '<c8'],
]);

/** The data begin at a multiple of this, for memory mapping. */
const ALIGNMENT = 64;

/**
 * The header of a .npy file in C order.
 * @throws UnsupportedError for a dtype without a counterpart in NumPy (floats of 8 bits and fewer)
 */
export function npyHeader(dtype: string, shape: readonly number[]): Uint8Array {
  check('dtype', dtype, text);
  check('shape', shape, SHAPE);
  const descriptor = DESCRIPTORS.get(dtype);
  if (descriptor === undefined) {
    throw new UnsupportedError('Cannot write the .npy file: NumPy has no such dtype', {
      expected: [...DESCRIPTORS.keys()].join(', '),
      actual: dtype,
    });
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const header = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Magic, version, length in 2 bytes (version 1.0) or 4 (2.0), text, spaces, line feed.
  const major = header.length + ALIGNMENT < 65536 ? 1 : 2;
  const prefix = major === 1 ? 10 : 12;
  const size = Math.ceil((prefix + header.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(size).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0]);
  const view = new DataView(bytes.buffer);
  if (major === 1) view.setUint16(8, size - prefix, true);
  else view.setUint32(8, size - prefix, true);
  bytes.set(new TextEncoder().encode(header), prefix);
  bytes[size - 1] = 0x0a;
  return bytes;
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
    const size = this.#elements * Number(DESCRIPTORS.get(this.#dtype)!.slice(2));
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
