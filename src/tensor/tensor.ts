import { asBytes, type BytesLike } from '../bytes/binary.js';
import { check, type Rule, text } from '../checks/options.js';
import { show } from '../errors/show.js';
import { ArgumentError } from '../errors.js';

/** Views of raw element bytes, by the safetensors name of the element type. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array;

/** `Float16Array`, which the type library of this compiler target does not know yet. */
export interface Float16ArrayLike extends ArrayLike<number> {
  readonly buffer: ArrayBufferLike;
  readonly byteLength: number;
  readonly byteOffset: number;
  readonly [Symbol.toStringTag]: string;
}

/**
 * A tensor in memory, row-major. `data` holds the stored elements: F32 as numbers; F16 and BF16 as their 16-bit
 * patterns in a Uint16Array; I4 packed two per byte (low nibble first). `toFloat32` converts any of them to numbers.
 */
export interface Tensor<D extends string = string> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/**
 * Typed arrays over raw element bytes. Both formats and safetensors are little-endian, and so is every platform
 * that runs a current JavaScript engine: the views need no byte swapping.
 */

interface ElementArray {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TensorData;
}

/** Types without a typed array (BOOL, F8_E4M3, packed I4, …) are bytes. */
const ARRAYS: ReadonlyMap<string, ElementArray> = new Map<string, ElementArray>([
  ['F64', Float64Array],
  ['F32', Float32Array],
  ['F16', Uint16Array],
  ['BF16', Uint16Array],
  ['I64', BigInt64Array],
  ['U64', BigUint64Array],
  ['I32', Int32Array],
  ['U32', Uint32Array],
  ['I16', Int16Array],
  ['U16', Uint16Array],
  ['I8', Int8Array],
]);

/**
 * The elements that these bytes hold, as the array that {@link Tensor} promises for this dtype (a safetensors name).
 * It shares their memory. If their address is not a multiple of the element size, it is a copy.
 * @throws ArgumentError when they are not a whole number of elements
 */
export function viewElements(dtype: string, input: BytesLike): TensorData {
  check('dtype', dtype, text);
  const bytes = asBytes(input);
  const Elements: ElementArray = ARRAYS.get(dtype) ?? Uint8Array;
  const size = Elements.BYTES_PER_ELEMENT;
  if (bytes.length % size !== 0) {
    throw new ArgumentError(`Cannot view the bytes as ${show(dtype)}: not a whole number of elements`, {
      expected: `a multiple of ${size} bytes`,
      actual: bytes.length,
    });
  }
  // Not slice(), which on a Node Buffer is another view of the same memory.
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new Elements(buffer, byteOffset, bytes.length / size);
}

/** The bytes of an array, sharing its memory. */
export function viewBytes(data: ArrayBufferView): Uint8Array {
  check('data', data, (value) => !ArrayBuffer.isView(value) && 'a typed array');
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * @param step starts and ends are multiples of this, or the end of the tensor
 * @throws ArgumentError unless a tensor that has `size` of these holds them from `start` to `end`
 */
export function assertWithin(
  what: 'bytes' | 'rows' | 'elements',
  start: number,
  end: number,
  size: number,
  { name, step = 1 }: { readonly name?: string | undefined; readonly step?: number | undefined } = {},
): void {
  const isBorder = (at: number) => at === size || (Number.isInteger(at) && at % step === 0);
  if (isBorder(start) && isBorder(end) && 0 <= start && start <= end && end <= size) return;
  throw new ArgumentError(`Cannot read these ${what} of the tensor`, {
    name,
    expected: `within 0 to ${size}${step > 1 ? `, multiples of ${step}` : ''}`,
    actual: [start, end],
  });
}

/** By name, because arrays of other realms (frames, test runners) have classes of their own. */
/* @__NO_SIDE_EFFECTS__ */
export function typedArray<T extends TensorData>(
  name: T[typeof Symbol.toStringTag],
  length?: number,
): Rule<T> {
  return (value) => {
    const array = value as T | null | undefined;
    if (array?.[Symbol.toStringTag] === name && array.length === (length ?? array.length)) return undefined;
    return length === undefined ? name : `a ${name} of length ${length}`;
  };
}

export const TYPED_ARRAY: Rule<TensorData | Float16ArrayLike> = (data) =>
  !(ArrayBuffer.isView(data) && 'length' in data) && 'a typed array';

/** @throws ArgumentError when the caller's output array has another type or length */
export function checkOutput<T extends TensorData = Float32Array>(
  out: T,
  length: number,
  name: T[typeof Symbol.toStringTag] = 'Float32Array',
): void {
  check('out', out, typedArray(name, length));
}

/**
 * Checks that an output array is the one that {@link Tensor} promises for `byteLength` bytes of this dtype; for F16, it may
 * also be a Float16Array.
 * @throws ArgumentError
 */
export function checkOutputElements(
  out: TensorData | Float16ArrayLike,
  dtype: string,
  byteLength: number,
): void {
  const Elements: ElementArray = ARRAYS.get(dtype) ?? Uint8Array;
  const isHalf = dtype === 'F16' && out[Symbol.toStringTag] === 'Float16Array';
  const name = isHalf ? 'Float16Array' : Elements.name;
  checkOutput(out as Uint8Array, byteLength / Elements.BYTES_PER_ELEMENT, name as 'Uint8Array');
}

interface Float16ArrayConstructor {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Float16ArrayLike;
}

/** The same memory as numbers, where the engine has an array for them. */
export function asFloat16(patterns: Uint16Array): Float16ArrayLike | Uint16Array {
  const { Float16Array } = globalThis as { Float16Array?: Float16ArrayConstructor };
  const { buffer, byteOffset, length } = patterns;
  return Float16Array === undefined ? patterns : new Float16Array(buffer, byteOffset, length);
}
