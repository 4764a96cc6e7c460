import { show } from '../errors/show.js';
import { ArgumentError, UnsupportedError } from '../errors.js';
import { DTYPES, elementCount } from './dtype.js';
import { checkOutput, type Tensor, type TensorData, viewBytes, viewElements } from './tensor.js';

/**
 * Elements of the dtypes that safetensors has and HCT and HoloTensor have not, as numbers: exact where a float32 can hold
 * them, else rounded to the nearest, ties to even.
 */

type Convert = (elements: TensorData, out: Float32Array) => void;

/** Each dtype, the bytes of an element, and how elements become numbers. Others are not single numbers of whole bytes. */
const CONVERSIONS: ReadonlyMap<string, readonly [size: number, convert: Convert]> = /* @__PURE__ */ new Map<
  string,
  readonly [number, Convert]
>([
  ['F64', [8, set]],
  ['U32', [4, set]],
  ['I32', [4, set]],
  ['U16', [2, set]],
  ['I16', [2, set]],
  ['U8', [1, set]],
  ['U64', [8, (elements, out) => setLong(elements, out, false)]],
  ['I64', [8, (elements, out) => setLong(elements, out, true)]],
  ['BOOL', [1, (elements, out) => lookUp(elements, out, (byte) => (byte === 0 ? 0 : 1))]],
  ['F8_E4M3FNUZ', [1, (elements, out) => lookUp(elements, out, (byte) => float8Fnuz(byte, 3, 8))]],
  ['F8_E5M2FNUZ', [1, (elements, out) => lookUp(elements, out, (byte) => float8Fnuz(byte, 2, 16))]],
]);

/** Whether {@link otherToFloat32} converts elements of this dtype, and they are floating-point numbers. */
export function isOtherFloat(dtype: string): boolean {
  return dtype.startsWith('F') && CONVERSIONS.has(dtype);
}

/**
 * The elements of a tensor as numbers, row-major.
 * @param out where to write, with the length of the tensor
 * @throws UnsupportedError for a dtype whose elements are not converted; ArgumentError when the data does not fit the
 *   shape, or `out` the data
 */
export function otherToFloat32({ dtype, shape, data }: Tensor, out?: Float32Array): Float32Array {
  const [size, convert] = CONVERSIONS.get(dtype) ?? [];
  if (size === undefined || convert === undefined) {
    throw new UnsupportedError(`Cannot convert elements of dtype ${show(dtype)} to float32`, {
      expected: [...DTYPES, ...CONVERSIONS.keys()].join(', '),
      actual: dtype,
    });
  }
  const elements = elementCount(shape);
  if (data.byteLength !== size * elements) {
    throw new ArgumentError(
      `Cannot convert ${show(dtype)} data of shape ${show(shape)}: wrong number of bytes`,
      { expected: size * elements, actual: data.byteLength },
    );
  }
  const numbers = out ?? new Float32Array(elements);
  checkOutput(numbers, elements);
  convert(viewElements(dtype, viewBytes(data)), numbers);
  return numbers;
}

/** What an array does with numbers of another type is a conversion to the nearest float32. */
function set(elements: TensorData, out: Float32Array): void {
  out.set(elements as Float64Array);
}

/** Through a number, 64-bit integers would be rounded twice. */
function setLong(elements: TensorData, out: Float32Array, signed: boolean): void {
  const words = new Uint32Array(elements.buffer, elements.byteOffset, 2 * elements.length);
  for (let i = 0; i < out.length; i++) {
    let low = words[2 * i]!;
    let high = words[2 * i + 1]!;
    const negative = signed && high >= 0x80000000;
    if (negative) {
      low = -low >>> 0;
      high = (low === 0 ? -high : ~high) >>> 0;
    }
    // Beyond 2^53, a lower bit that is lost would move the value onto a tie: the last bit that is kept stands for them all.
    if (high >= 0x200000 && (low & 0x7ff) !== 0) low = (low | 0x800) - (low & 0x7ff);
    const magnitude = high * 2 ** 32 + (low >>> 0);
    out[i] = negative ? -magnitude : magnitude;
  }
}

/** There are 256 patterns: each is converted once. */
function lookUp(elements: TensorData, out: Float32Array, numberOf: (byte: number) => number): void {
  const table = Float32Array.from({ length: 256 }, (_, byte) => numberOf(byte));
  const bytes = elements as Uint8Array;
  for (let i = 0; i < out.length; i++) out[i] = table[bytes[i]!]!;
}

/** https://arxiv.org/abs/2206.02915: no infinities; negative zero is the only NaN. */
function float8Fnuz(byte: number, mantissaBits: number, bias: number): number {
  return byte === 0x80 ? Number.NaN : float8(byte, mantissaBits, bias);
}

function float8(byte: number, mantissaBits: number, bias: number): number {
  const exponent = (byte & 0x7f) >> mantissaBits;
  const fraction = (byte & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  const magnitude = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return byte < 0x80 ? magnitude : -magnitude;
}
