import { ownRuntime } from '../../runtime/encodeKernels.js';
import type { WasmRuntime } from '../../runtime/runtime.js';
import type {
  EmbeddedEncodeKernels,
  EncodedTile,
  FloatLayout,
  RowSurvey,
  TileCoding,
  TileCounts,
  TilePlan,
  TileWeights,
} from '../interface.js';
import { extractTable } from '../maskTables.js';
import { SUMS, SYMBOL_COUNTS } from '../survey.js';
import { CLASS_OF, GROUP, GROUP_BYTES, NEVER } from '../tile.js';
import { EMBEDDED_ENCODE_WASM } from './embeddedEncode.generated.js';
import type { EmbeddedEncodeExports } from './encodeExports.js';
import { loadCodes, loadInto, ruleBytes } from './memory.js';

/** Working memory of `scatter`. */
const SCATTER_BYTES = 64;
const ENTRY_BYTES = 4;
/** The largest group of a bitmap: codes of a batch, of a mask, of 8 bytes; bits apart and signs, 3 each. */
const GROUP_ENTRIES = 16;
/** The largest weight outside the planes: a sign, an exponent, a mantissa. */
const WEIGHT_ENTRIES = 3;
/** Bytes of the largest weight, with two bits of bitmap. */
const WEIGHT_BYTES = 6;
/** Fields of mantissas, two or more at once. */
const LONG_ENTRY_BYTES = 8;
/** Working memory of `encodeRemainder`. */
const TABLES_BYTES = 32;
/** Bits of the largest entry. */
const ENTRY_BITS = 24;
/** Bit streams are written eight bytes at a time. */
const OVERWRITE_BYTES = 8;

/** Of `measure`: bytes of a bucket, of a row of what planes have in common. */
const BUCKET_BYTES = 64;
const PAIR_BYTES = 144;

/** Planes for `measure`, and at least so many below those that are coded: of what is below all, it only estimates a part. */
const MEASURED_PLANES = 17;
const MORE_PLANES = 5;
/** Estimates for few weights are worse. */
const MORE_FOR_FEW = 3;
const MANY_WEIGHTS = 4096;

/** Weights that are surveyed at once: they stay in a near cache. */
const SURVEY_WEIGHTS = 8192;
/** Kernels widen eight numbers at a time. */
const WIDENED = 8;
const EXPONENTS = 256;
const SUBNORMALS = 24;
/** Exponents are counted apart for neighbours. */
const LANES = 4;

const FIXED_CODES = { selection: new Uint8Array(0), fixed: true };

let shared: EmbeddedEncodeKernels | undefined;

/** @throws what `ownRuntime` throws */
export function wasmEmbeddedEncode(): EmbeddedEncodeKernels {
  shared ??= kernelsOn(ownRuntime('embeddedEncode', EMBEDDED_ENCODE_WASM));
  return shared;
}

/** A tile in the memory of the kernels, cut into planes. */
interface LoadedTile {
  readonly weights: number;
  readonly groups: number;
  readonly stride: number;
  /** Filled up with zeros to whole groups. */
  readonly patterns: number;
  readonly numbers: number;
  readonly planes: number;
  readonly signs: number;
  readonly significant: number;
  readonly counts: number;
  readonly dense: number;
  readonly scales: number;
  readonly contexts: number;
  /** Σ of the squares of what is below all planes. */
  readonly dropped: number;
}

function kernelsOn(runtime: WasmRuntime): EmbeddedEncodeKernels {
  const kernels = () => runtime.exports<EmbeddedEncodeExports>('embeddedEncode');

  return {
    surveyRows: (...args) => runtime.scope(() => surveyRows(...args)),
    countTile: (...args) => runtime.scope(() => countTile(...args)),
    encodeTile: (...args) => runtime.scope(() => encodeTile(...args)),
  };

  function surveyRows(
    patterns: Uint16Array | Uint32Array,
    layout: FloatLayout,
    rowLength: number,
  ): RowSurvey {
    const rows = new Float64Array(Math.ceil(patterns.length / rowLength));
    const columns = allocateZeros(runtime, 8 * rowLength);
    const exponents = allocateZeros(runtime, 4 * LANES * EXPONENTS);
    const subnormals = allocateZeros(runtime, 4 * SUBNORMALS);
    const rowsAtOnce = Math.max(1, Math.floor(SURVEY_WEIGHTS / rowLength));
    const energies = runtime.allocate(8 * rowsAtOnce);
    const chunk = runtime.allocate(rowsAtOnce * rowLength * layout.bytes + OVERWRITE_BYTES * layout.bytes);
    const numbers = runtime.allocate(4 * (rowsAtOnce * rowLength + WIDENED));
    const survey = kernels().surveyRows;
    for (let row = 0; row < rows.length; row += rowsAtOnce) {
      const start = row * rowLength;
      const part = patterns.subarray(start, start + rowsAtOnce * rowLength);
      runtime.load(part, chunk);
      const floats = widen(chunk, part.length, layout, numbers);
      const whole = Math.floor(part.length / rowLength);
      survey(floats, whole, rowLength, exponents, subnormals, energies, columns);
      const rest = part.length - whole * rowLength;
      if (rest > 0) {
        survey(floats + 4 * whole * rowLength, 1, rest, exponents, subnormals, energies + 8 * whole, columns);
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

  /** The address of these numbers in single precision; room for `WIDENED` more is behind both arrays. */
  function widen(patterns: number, count: number, layout: FloatLayout, numbers: number): number {
    if (layout.bytes === 4) return patterns;
    const { mantissaBits, bias } = layout;
    const steps = Math.ceil(count / WIDENED) * WIDENED;
    kernels().widenShort(patterns, steps, mantissaBits, 2 ** (F32_BIAS - bias), numbers);
    return numbers;
  }

  /** @param more planes below those that are coded */
  function loadTile(
    { patterns, layout, parts, scales }: TileWeights,
    { scale, depth }: TilePlan,
    more: number,
  ): LoadedTile {
    const weights = patterns.length;
    const groups = Math.ceil(weights / GROUP);
    const stride = groups * GROUP_BYTES;
    const size = GROUP * groups * layout.bytes;
    const natural = runtime.allocate(size);
    const sorted = parts === undefined ? natural : runtime.allocate(size);
    const numbers = runtime.allocate(4 * GROUP * groups);
    const planes = runtime.allocate((depth + more) * stride);
    const signs = runtime.allocate(stride);
    // One after another, to be filled at once.
    const significant = allocateZeros(runtime, stride + 2 * groups);
    const counts = significant + stride;
    const contexts = runtime.allocate(groups);
    const scratch = runtime.allocate(SCATTER_BYTES);
    const ofGroups = loadInto(runtime, scales);
    if (parts !== undefined) sort(patterns, parts, layout.bytes, natural, sorted);
    else runtime.load(patterns, sorted);
    runtime.bytes(sorted + weights * layout.bytes, size - weights * layout.bytes).fill(0);
    if (layout.bytes === 4) runtime.bytes(numbers, size).set(runtime.bytes(sorted, size));
    else widen(sorted, GROUP * groups, layout, numbers);
    const dropped = kernels().scatter(
      numbers,
      groups,
      2 ** -scale,
      2 ** more,
      depth + more,
      planes,
      stride,
      signs,
      scratch,
    );
    return {
      weights,
      groups,
      stride,
      patterns: sorted,
      numbers,
      planes,
      signs,
      significant,
      counts,
      dense: counts + groups,
      scales: ofGroups,
      contexts,
      dropped,
    };
  }

  function sort(
    patterns: Uint16Array | Uint32Array,
    parts: NonNullable<TileWeights['parts']>,
    bytes: number,
    natural: number,
    sorted: number,
  ): void {
    const { sortLong, sortShort } = kernels();
    const part = bytes === 4 ? sortLong : sortShort;
    const loaded = new Map<Uint32Array, number>();
    for (const { columns } of parts) {
      // Whole rows have the same columns.
      if (!loaded.has(columns)) loaded.set(columns, loadInto(runtime, columns));
    }
    runtime.load(patterns, natural);
    let out = sorted;
    for (const { first, columns } of parts) {
      part(natural + first * bytes, loaded.get(columns)!, columns.length, out);
      out += columns.length * bytes;
    }
  }

  function countTile(tile: TileWeights, plan: TilePlan, apart: boolean): TileCounts {
    const { depth, threshold } = plan;
    const fixedCodes = loadCodes(runtime, FIXED_CODES);
    const levels = Array.from({ length: depth }, (_, j) => ({ fixed: true, level: depth - 1 - j }));
    const rules = levels.map((coding) => loadInto(runtime, ruleBytes(coding)));
    const selectedRule = loadInto(runtime, ruleBytes({ fixed: false, level: 0 }));
    const addresses = loadInto(runtime, Uint32Array.from(rules));
    const { weights, groups, stride, planes, significant, counts, dense, scales, contexts } = loadTile(
      tile,
      plan,
      0,
    );
    const symbols = allocateZeros(runtime, 8 * SYMBOL_COUNTS * depth);
    const costs = runtime.allocate(12 * depth);
    const more = loadInto(
      runtime,
      Uint32Array.of(scales, contexts, selectedRule, addresses, fixedCodes, costs),
    );
    kernels().countPlanes(
      weights,
      depth,
      threshold,
      planes,
      stride,
      significant,
      counts,
      dense,
      apart,
      symbols,
      more,
    );
    return {
      symbols: runtime.words(symbols, 2 * SYMBOL_COUNTS * depth).slice(),
      costs: runtime.words(costs, 3 * depth).slice(),
      counts: runtime.bytes(counts, groups).slice(),
    };
  }

  function encodeTile(tile: TileWeights, coding: TileCoding, exceptions: Uint8Array): EncodedTile {
    const { depth, threshold, planes: codings, nonzero } = coding;
    const extracts = loadInto(runtime, extractTable());
    const fixedCodes = codings.some(({ fixed }) => fixed) ? loadCodes(runtime, FIXED_CODES) : 0;
    const codes = codings.map((own) => (own.fixed ? fixedCodes : loadCodes(runtime, own)));
    const rules = codings.map((own) => loadInto(runtime, ruleBytes(own)));
    const more = nonzero === undefined ? 0 : morePlanes(depth, tile.patterns.length);
    const loaded = loadTile(tile, coding, more);
    const { weights, groups, stride, planes, significant, signs, counts, dense, scales, contexts } = loaded;
    const denseFrom = runtime.allocate(groups);
    runtime.bytes(denseFrom, groups).fill(NEVER);
    const entries = Math.max(GROUP_ENTRIES * groups, WEIGHT_ENTRIES * GROUP * groups);
    const list = runtime.allocate(ENTRY_BYTES * entries);
    const planeBytes = stride + (GROUP_ENTRIES * groups * ENTRY_BITS) / 8;
    const room = depth * (planeBytes + stride) + exceptions.length + WEIGHT_BYTES * GROUP * groups;
    const out = runtime.allocate(room + OVERWRITE_BYTES);
    const sums = allocateZeros(runtime, 8 * SUMS * depth);
    const buckets = allocateZeros(runtime, BUCKET_BYTES * (depth + 1) * (depth + more + 1));
    const pairs = runtime.allocate(PAIR_BYTES * (depth + more));
    const { encodePlane, encodeSigns, measure } = kernels();
    const ends: number[] = [];
    let end = out;
    codings.forEach(({ apart }, j) => {
      end += encodePlane(
        planes + j * stride,
        groups,
        significant,
        signs,
        counts,
        dense,
        scales,
        rules[j]!,
        contexts,
        codes[j]!,
        apart,
        extracts,
        list,
        end,
      );
      ends.push(end);
      end += encodeSigns(
        weights,
        groups,
        threshold,
        significant,
        signs,
        counts,
        dense,
        denseFrom,
        j,
        extracts,
        list,
        end,
      );
      ends.push(end);
    });
    if (nonzero !== undefined) {
      runtime.load(exceptions, end);
      end += exceptions.length;
      end += encodeRemainder(tile.layout, coding.scale, nonzero, loaded, list, end);
      ends.push(end);
    }
    const energy = measure(
      loaded.numbers,
      weights,
      depth,
      more,
      tile.layout.mantissaBits,
      planes,
      stride,
      denseFrom,
      loaded.dropped,
      buckets,
      pairs,
      sums,
    );
    // One copy of all.
    const bytes = runtime.bytes(out, end - out).slice();
    return {
      units: ends.map((unitEnd, i) => bytes.subarray((ends[i - 1] ?? out) - out, unitEnd - out)),
      energy,
      sums: runtime.doubles(sums, SUMS * depth).slice(),
      denseFrom: runtime.bytes(denseFrom, groups).slice(),
    };
  }

  function encodeRemainder(
    { mantissaBits, exponentBits, bias }: FloatLayout,
    scale: number,
    selection: Uint8Array,
    { weights, groups, patterns, counts, dense }: LoadedTile,
    list: number,
    out: number,
  ): number {
    const marks = selection.length > 0;
    const codes = marks ? loadCodes(runtime, { selection, fixed: false }) : 0;
    const classes = runtime.allocate(groups);
    const absent = runtime.allocate(GROUP_BYTES * groups);
    const nonzero = runtime.allocate(GROUP_BYTES * groups);
    const tables = runtime.allocate(TABLES_BYTES);
    const fields = runtime.allocate(LONG_ENTRY_BYTES * ((GROUP * groups) / 2));
    if (marks) {
      const counted = runtime.bytes(counts, groups);
      runtime.bytes(classes, groups).set(counted.map((count) => CLASS_OF[count]!));
    }
    return kernels().encodeRemainder(
      patterns,
      weights,
      classes,
      dense,
      codes,
      marks,
      mantissaBits,
      exponentBits,
      scale + bias,
      absent,
      nonzero,
      tables,
      list,
      fields,
      out,
    );
  }
}

const F32_BIAS = 127;

function morePlanes(depth: number, weights: number): number {
  const more = Math.max(MORE_PLANES, MEASURED_PLANES - depth);
  return weights < MANY_WEIGHTS ? more + MORE_FOR_FEW : more;
}

function allocateZeros(runtime: WasmRuntime, byteLength: number): number {
  const address = runtime.allocate(byteLength);
  runtime.bytes(address, byteLength).fill(0);
  return address;
}
