import { ArgumentError } from '../../errors.js';
import type { FloatLayout } from '../../kernels/embedded/interface.js';
import { byteLengthOf } from '../../tensor/dtype.js';
import { storedToFloat32 } from '../../tensor/numbers.js';
import { viewBytes, viewElements } from '../../tensor/tensor.js';
import { checkRequest } from '../encoderInput.js';
import type { EncodeRequest } from '../encoding.js';
import { floatLayout } from './elements.js';
import type { TileOrder } from './tileOrder.js';

/** The elements of a tensor, as numbers and, where they are floats, as bits. */
export interface Source {
  readonly survey: Survey;
  readonly layout: FloatLayout | undefined;
  /** The bits of the elements from `start` to before `end`; undefined for integers. */
  readonly patterns: ((start: number, end: number) => Uint16Array | Uint32Array) | undefined;
  /** The numbers from `start` to before `end`, 0 in place of values that are not finite. Valid until the next call. */
  numbers(start: number, end: number): Float32Array;
}

/** @throws ArgumentError when the matrix does not have the tensor's size */
export function sourceOf(request: EncodeRequest): Source {
  checkRequest(request);
  const { tensor, rows, cols, kernels } = request;
  const { dtype } = tensor;
  const expected = byteLengthOf(dtype, rows * cols);
  if (tensor.data.byteLength !== expected) {
    throw new ArgumentError('Cannot encode the tensor: wrong number of bytes', {
      expected,
      actual: tensor.data.byteLength,
    });
  }
  const layout = floatLayout(dtype);
  const bytes = viewBytes(tensor.data);
  if (layout?.bytes === 2) {
    const patterns = viewElements('U16', bytes) as Uint16Array;
    const widen = dtype === 'F16' ? kernels.halfToFloat32 : kernels.bfloat16ToFloat32;
    return sourceFrom(surveyPatterns(patterns, widen), layout, patterns, (start, end) =>
      widen(patterns.subarray(start, end)),
    );
  }
  const values = storedToFloat32({ ...tensor, shape: [rows * cols] });
  const patterns = layout === undefined ? undefined : (viewElements('U32', bytes) as Uint32Array);
  return sourceFrom(survey(values), layout, patterns, (start, end) => values.subarray(start, end));
}

function sourceFrom(
  counted: Survey,
  layout: FloatLayout | undefined,
  patterns: Uint16Array | Uint32Array | undefined,
  read: (start: number, end: number) => Float32Array,
): Source {
  const finite = (numbers: Float32Array) => numbers.map((value) => (Number.isFinite(value) ? value : 0));
  const numbers = counted.exceptions === 0 ? read : (start: number, end: number) => finite(read(start, end));
  return {
    survey: counted,
    layout,
    patterns: patterns && ((start, end) => patterns.subarray(start, end)),
    numbers,
  };
}

/** The same, with the elements of each tile in its own order. Ranges are whole tiles. */
export function inOrder(source: Source, order: TileOrder): Source {
  if (order.isNatural) return source;
  const { patterns, numbers } = source;
  const sorted = <T extends Uint16Array | Uint32Array>(natural: T, start: number): T => {
    const inTile = natural.slice() as T;
    order.sort(natural, inTile, start);
    return inTile;
  };
  return {
    ...source,
    patterns: patterns && ((start, end) => sorted(patterns(start, end), start)),
    numbers: (start, end) => {
      const values = numbers(start, end);
      return new Float32Array(sorted(viewElements('U32', viewBytes(values)) as Uint32Array, start).buffer);
    },
  };
}

/** Counts of exponents, which decide where planes begin and end. */
export interface Survey {
  readonly elements: number;
  readonly zeros: number;
  /** NaNs and infinities. */
  readonly exceptions: number;
  /** Σ x² over the finite ones. */
  readonly energy: number;
  /** Finite weights other than 0, by floor(log2 |x|) + EXPONENT_OFFSET. */
  readonly exponents: Uint32Array;
}

/** Exponents of single-precision numbers, subnormal ones too, begin at -149. */
export const EXPONENT_OFFSET = 149;
const EXPONENTS = EXPONENT_OFFSET + 128;

/** Patterns of 16 bits. */
const PATTERNS = 1 << 16;

/** Surveys numbers; with `counts`, number i counts `counts[i]` times. */
function survey(values: Float32Array, counts?: Uint32Array): Survey {
  const exponents = new Uint32Array(EXPONENTS);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let elements = 0;
  let zeros = 0;
  let exceptions = 0;
  let energy = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    const count = counts === undefined ? 1 : counts[i]!;
    elements += count;
    if (magnitude >= 0x7f800000) {
      exceptions += count;
      continue;
    }
    const value = values[i]!;
    energy += count * (value * value);
    if (magnitude >= 0x800000) exponents[(magnitude >>> 23) - 127 + EXPONENT_OFFSET]! += count;
    else if (magnitude === 0) zeros += count;
    else exponents[31 - Math.clz32(magnitude)]! += count;
  }
  return { elements, zeros, exceptions, energy, exponents };
}

/** The same for patterns of 16 bits, of which few are different. */
function surveyPatterns(
  patterns: Uint16Array,
  storedToFloat32: (patterns: Uint16Array) => Float32Array,
): Survey {
  // Neighbours have separate counts, because two additions in a row to the same count would wait for each other.
  const even = new Uint32Array(PATTERNS);
  const odd = new Uint32Array(PATTERNS);
  for (let i = 0; i + 1 < patterns.length; i += 2) {
    even[patterns[i]!]! += 1;
    odd[patterns[i + 1]!]! += 1;
  }
  if (patterns.length % 2 === 1) even[patterns.at(-1)!]! += 1;
  const all = new Uint16Array(PATTERNS);
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    all[pattern] = pattern;
    even[pattern]! += odd[pattern]!;
  }
  return survey(storedToFloat32(all), even);
}
