import { bfloat16ToFloat32, halfToFloat32 } from '../../../tensor/float.js';
import type { FloatLayout, RowSurvey } from '../interface.js';
import { exponentOf } from '../survey.js';
import { signBitOf } from '../tile.js';

export function numbersOf(patterns: Uint16Array | Uint32Array, layout: FloatLayout): Float32Array {
  const { mantissaBits, tapered = false } = layout;
  if (patterns instanceof Uint32Array) {
    return new Float32Array(patterns.buffer, patterns.byteOffset, patterns.length);
  }
  if (tapered) return Float32Array.from(patterns, (pattern) => taperedNumber(pattern, layout));
  return (mantissaBits === 7 ? bfloat16ToFloat32 : halfToFloat32)(patterns);
}

/** Infinity for what is not finite, which the wasm implementation has, too. */
function taperedNumber(pattern: number, layout: FloatLayout): number {
  const { mantissaBits, exponentBits, bias } = layout;
  const exponent = exponentOf(pattern, layout);
  const fraction = (pattern & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const special = 2 ** exponentBits - 1;
  const magnitude =
    exponent === special
      ? Number.POSITIVE_INFINITY
      : exponent === 0
        ? 0
        : (1 + fraction) * 2 ** (exponent - bias);
  return pattern >>> signBitOf(layout) === 1 ? -magnitude : magnitude;
}

const EXPONENTS = 256;
const SUBNORMALS = 24;

export function surveyRows(
  patterns: Uint16Array | Uint32Array,
  layout: FloatLayout,
  rowLength: number,
  before: Float64Array,
): RowSurvey {
  const numbers = numbersOf(patterns, layout);
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const rows = new Float64Array(Math.ceil(numbers.length / rowLength));
  const columns = before.slice();
  const exponents = new Uint32Array(EXPONENTS);
  const subnormals = new Uint32Array(SUBNORMALS);
  for (let row = 0, i = 0; row < rows.length; row++) {
    for (let column = 0; column < rowLength && i < numbers.length; column++, i++) {
      const magnitude = bits[i]! & 0x7fffffff;
      exponents[magnitude >>> 23]! += 1;
      if (magnitude === 0) subnormals[SUBNORMALS - 1]! += 1;
      else if (magnitude < 0x800000) subnormals[31 - Math.clz32(magnitude)]! += 1;
      if (magnitude >= 0x7f800000) continue;
      const square = numbers[i]! * numbers[i]!;
      rows[row]! += square;
      columns[column]! += square;
    }
  }
  return { rows, columns, exponents, subnormals };
}
