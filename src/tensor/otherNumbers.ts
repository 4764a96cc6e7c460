import { show } from '../errors/show.js';
import { ArgumentError, UnsupportedError } from '../errors.js';
import { DTYPES, elementCount } from './dtype.js';
import { lookUp, OTHER_FLOATS, setNumbers, type ToNumbers } from './otherFloats.js';
import { checkOutput, type Tensor, type TensorData, viewBytes, viewElements } from './tensor.js';

/**
 * Elements of the dtypes that safetensors has and HCT and HoloTensor have not, as numbers: exact where a float32 can hold
 * them, else rounded to the nearest, ties to even.
 */

/** As {@link OTHER_FLOATS}. */
const OTHER_INTEGERS: Readonly<Record<string, readonly [size: number, toNumbers: ToNumbers]>> = {
  U32: [4, setNumbers],
  I32: [4, setNumbers],
  U16: [2, setNumbers],
  I16: [2, setNumbers],
  U8: [1, setNumbers],
  U64: [8, (elements, out) => setLong(elements, out, false)],
  I64: [8, (elements, out) => setLong(elements, out, true)],
  BOOL: [1, (elements, out) => lookUp(elements, out, (byte) => (byte === 0 ? 0 : 1))],
};

const OTHERS = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries({ ...OTHER_FLOATS, ...OTHER_INTEGERS }),
);

/**
 * The elements of a tensor as numbers, row-major.
 * @param out where to write, with the length of the tensor
 * @throws UnsupportedError for a dtype whose elements are not converted; ArgumentError when the data does not fit the
 *   shape, or `out` the data
 */
export function otherToFloat32({ dtype, shape, data }: Tensor, out?: Float32Array): Float32Array {
  const [size, toNumbers] = OTHERS.get(dtype) ?? [];
  if (size === undefined || toNumbers === undefined) {
    throw new UnsupportedError(`Cannot convert elements of dtype ${show(dtype)} to float32`, {
      expected: [...DTYPES, ...OTHERS.keys()].join(', '),
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
  toNumbers(viewElements(dtype, viewBytes(data)), numbers);
  return numbers;
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
