import { bfloat16ToFloat32, halfToFloat32 } from '../../../tensor/float.js';
import type { FloatLayout, RowSurvey } from '../interface.js';

export function numbersOf(patterns: Uint16Array | Uint32Array, { mantissaBits }: FloatLayout): Float32Array {
  if (patterns instanceof Uint32Array) {
    return new Float32Array(patterns.buffer, patterns.byteOffset, patterns.length);
  }
  return (mantissaBits === 7 ? bfloat16ToFloat32 : halfToFloat32)(patterns);
}

const EXPONENTS = 256;
const SUBNORMALS = 24;

export function surveyRows(
  patterns: Uint16Array | Uint32Array,
  layout: FloatLayout,
  rowLength: number,
): RowSurvey {
  const numbers = numbersOf(patterns, layout);
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const rows = new Float64Array(Math.ceil(numbers.length / rowLength));
  const columns = new Float64Array(rowLength);
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
