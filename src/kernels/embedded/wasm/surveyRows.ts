import type { WasmRuntime } from '../../runtime/runtime.js';
import type { FloatLayout, RowSurvey } from '../interface.js';
import { encodeExports } from './encodeExports.js';
import { WIDENED, widen } from './loadTile.js';
import { allocateZeros, loadInto } from './memory.js';

/** Weights that are surveyed at once: they stay in a near cache, also where they are widened. */
const SURVEY_WEIGHTS = 8192;
const SHORT_WEIGHTS = 32768;
const EXPONENTS = 256;
const SUBNORMALS = 24;
/** Exponents are counted apart for neighbours. */
const LANES = 4;
/** Of `surveyShort`: numbers that it takes at a time, and its working memory. */
const TOGETHER = 8;
const PAIRS_BYTES = 4096;

export function surveyRows(
  runtime: WasmRuntime,
  patterns: Uint16Array | Uint32Array,
  layout: FloatLayout,
  rowLength: number,
  before: Float64Array,
): RowSurvey {
  const rows = new Float64Array(Math.ceil(patterns.length / rowLength));
  const columns = loadInto(runtime, before);
  const exponents = allocateZeros(runtime, 4 * LANES * EXPONENTS);
  const subnormals = allocateZeros(runtime, 4 * SUBNORMALS);
  const isShort = isBfloat16(layout) && rowLength % TOGETHER === 0 && patterns.length % TOGETHER === 0;
  const rowsAtOnce = Math.max(1, Math.floor((isShort ? SHORT_WEIGHTS : SURVEY_WEIGHTS) / rowLength));
  const energies = runtime.allocate(8 * rowsAtOnce);
  const chunk = runtime.allocate(rowsAtOnce * rowLength * layout.bytes + WIDENED * layout.bytes);
  const numbers = isShort ? chunk : runtime.allocate(4 * (rowsAtOnce * rowLength + WIDENED));
  const { surveyRows: survey, surveyShort } = encodeExports(runtime);
  const pairs = allocateZeros(runtime, isShort ? PAIRS_BYTES : 0);
  for (let row = 0; row < rows.length; row += rowsAtOnce) {
    const start = row * rowLength;
    const part = patterns.subarray(start, start + rowsAtOnce * rowLength);
    runtime.load(part, chunk);
    const whole = Math.floor(part.length / rowLength);
    const rest = part.length - whole * rowLength;
    const counts = [exponents, subnormals] as const;
    const restEnergy = energies + 8 * whole;
    if (isShort) {
      surveyShort(chunk, whole, rowLength, ...counts, energies, columns, pairs);
      if (rest > 0) {
        surveyShort(chunk + 2 * whole * rowLength, 1, rest, ...counts, restEnergy, columns, pairs);
      }
    } else {
      const floats = widen(runtime, chunk, part.length, layout, numbers);
      survey(floats, whole, rowLength, ...counts, energies, columns);
      if (rest > 0) survey(floats + 4 * whole * rowLength, 1, rest, ...counts, restEnergy, columns);
    }
    rows.set(runtime.doubles(energies, Math.min(rowsAtOnce, rows.length - row)), row);
  }
  const counted = runtime.words(exponents, LANES * EXPONENTS);
  return {
    rows,
    columns: runtime.doubles(columns, rowLength).slice(),
    exponents: Uint32Array.from({ length: EXPONENTS }, (_, i) => {
      let sum = 0;
      for (let lane = 0; lane < LANES; lane++) sum += counted[lane * EXPONENTS + i]!;
      return sum;
    }),
    subnormals: runtime.words(subnormals, SUBNORMALS).slice(),
  };
}

function isBfloat16({ bytes, exponentBits, mantissaBits }: FloatLayout): boolean {
  return bytes === 2 && exponentBits === 8 && mantissaBits === 7;
}
