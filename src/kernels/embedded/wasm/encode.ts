import { ownRuntime } from '../../runtime/encodeKernels.js';
import type { WasmRuntime } from '../../runtime/runtime.js';
import type { EmbeddedEncodeKernels, TilePlan, TileSurvey } from '../interface.js';
import { extractTable } from '../maskTables.js';
import { SUMS, SYMBOL_COUNTS } from '../survey.js';
import { finalClasses, GROUP, GROUP_BYTES, newTileState } from '../tile.js';
import { EMBEDDED_ENCODE_WASM } from './embeddedEncode.generated.js';
import { loadCodes, loadInto, loadPlanes, loadState, ruleBytes } from './memory.js';

/** The exports of `assembly/embeddedEncode.ts`. Their parameters are addresses and counts. */
interface EmbeddedEncodeExports {
  scatter(
    numbers: number,
    groups: number,
    factor: number,
    depth: number,
    planes: number,
    stride: number,
    signs: number,
    scratch: number,
    energy: number,
  ): void;
  surveyPlanes(
    numbers: number,
    weights: number,
    depth: number,
    threshold: number,
    planes: number,
    stride: number,
    significant: number,
    counts: number,
    dense: number,
    denseFrom: number,
    apart: boolean,
    sums: number,
    symbols: number,
    more: number,
  ): number;
  encodePlane(
    plane: number,
    groups: number,
    significant: number,
    signs: number,
    counts: number,
    dense: number,
    scales: number,
    rule: number,
    contexts: number,
    codes: number,
    apart: boolean,
    extracts: number,
    list: number,
    out: number,
  ): number;
  encodeSigns(
    weights: number,
    groups: number,
    threshold: number,
    significant: number,
    signs: number,
    counts: number,
    dense: number,
    extracts: number,
    list: number,
    out: number,
  ): number;
  encodeRemainder(
    patterns: number,
    weights: number,
    classes: number,
    dense: number,
    codes: number,
    marks: boolean,
    mantissaBits: number,
    exponentBits: number,
    lowest: number,
    absent: number,
    nonzero: number,
    tables: number,
    list: number,
    fields: number,
    out: number,
  ): number;
}

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

const FIXED_CODES = { selection: new Uint8Array(0), fixed: true };

let shared: EmbeddedEncodeKernels | undefined;

/** @throws what `ownRuntime` throws */
export function wasmEmbeddedEncode(): EmbeddedEncodeKernels {
  shared ??= kernelsOn(ownRuntime('embeddedEncode', EMBEDDED_ENCODE_WASM));
  return shared;
}

function kernelsOn(runtime: WasmRuntime): EmbeddedEncodeKernels {
  const kernels = () => runtime.exports<EmbeddedEncodeExports>('embeddedEncode');

  return {
    surveyTile: (values, plan) => runtime.scope(() => surveyTile(values, plan)),
    encodeTile: (...args) => runtime.scope(() => encodeTile(...args)),
    encodeRemainder: (...args) => runtime.scope(() => encodeRemainder(...args)),
  };

  function surveyTile(
    values: Float32Array,
    { scale, depth, threshold, apart, scales }: TilePlan,
  ): TileSurvey {
    const groups = Math.ceil(values.length / GROUP);
    const stride = groups * GROUP_BYTES;
    const numbers = runtime.allocate(4 * GROUP * groups);
    const planes = runtime.allocate(depth * stride);
    const signs = runtime.allocate(stride);
    const significant = allocateZeros(runtime, stride);
    const counts = allocateZeros(runtime, groups);
    const dense = allocateZeros(runtime, groups);
    const denseFrom = runtime.allocate(groups);
    const scratch = runtime.allocate(SCATTER_BYTES);
    const energy = runtime.allocate(Float64Array.BYTES_PER_ELEMENT);
    const surveyed = {
      sums: new Float64Array(SUMS * depth),
      symbols: new Uint32Array(2 * SYMBOL_COUNTS * depth),
      costs: new Uint32Array(2 * depth),
    };
    const sums = allocateZeros(runtime, surveyed.sums.byteLength);
    const symbols = allocateZeros(runtime, surveyed.symbols.byteLength);
    const costs = allocateZeros(runtime, surveyed.costs.byteLength);
    const levels = Array.from({ length: depth }, (_, j) => ({ fixed: true, level: depth - 1 - j }));
    const rules = levels.map((coding) => loadInto(runtime, ruleBytes(coding)));
    const more = loadInto(
      runtime,
      Uint32Array.of(
        loadInto(runtime, scales),
        runtime.allocate(groups),
        loadInto(runtime, ruleBytes({ fixed: false, level: 0 })),
        loadInto(runtime, Uint32Array.from(rules)),
        loadCodes(runtime, FIXED_CODES),
        runtime.allocate(ENTRY_BYTES * GROUP_ENTRIES * groups),
        costs,
      ),
    );
    runtime.load(values, numbers);
    runtime.floats(numbers + 4 * values.length, GROUP * groups - values.length).fill(0);
    const { scatter, surveyPlanes } = kernels();
    scatter(numbers, groups, 2 ** -scale, depth, planes, stride, signs, scratch, energy);
    const signPlanes = surveyPlanes(
      numbers,
      values.length,
      depth,
      threshold,
      planes,
      stride,
      significant,
      counts,
      dense,
      denseFrom,
      apart,
      sums,
      symbols,
      more,
    );
    runtime.store(costs, surveyed.costs);
    runtime.store(sums, surveyed.sums);
    runtime.store(symbols, surveyed.symbols);
    const bitmaps = runtime.bytes(planes, depth * stride).slice();
    const total = new Float64Array(1);
    runtime.store(energy, total);
    return {
      ...surveyed,
      scales,
      planes: Array.from({ length: depth }, (_, j) => bitmaps.subarray(j * stride, (j + 1) * stride)),
      signs: runtime.bytes(signs, stride).slice(),
      energy: total[0]!,
      signPlanes,
    };
  }

  function encodeTile(
    ...[tile, count, codings, threshold]: Parameters<EmbeddedEncodeKernels['encodeTile']>
  ): ReturnType<EmbeddedEncodeKernels['encodeTile']> {
    const stride = tile.signs.length;
    const groups = stride / GROUP_BYTES;
    const state = newTileState(count, tile.scales, tile.signs);
    const at = loadState(runtime, state);
    const planes = loadPlanes(runtime, tile.planes, stride);
    const fixedCodes = loadCodes(runtime, FIXED_CODES);
    const codes = codings.map((coding) => (coding.fixed ? fixedCodes : loadCodes(runtime, coding)));
    const rules = codings.map((coding) => loadInto(runtime, ruleBytes(coding)));
    const contexts = runtime.allocate(groups);
    const extracts = loadInto(runtime, extractTable());
    const entries = GROUP_ENTRIES * groups;
    const list = runtime.allocate(ENTRY_BYTES * entries);
    const out = runtime.allocate(stride + (entries * ENTRY_BITS) / 8 + OVERWRITE_BYTES);
    const { encodePlane, encodeSigns } = kernels();
    const { significant, signs, counts, dense, scales } = at;
    const units: Uint8Array[] = [];
    codings.forEach(({ apart, signs: signsFollow }, j) => {
      const plane = planes + j * stride;
      const of = [significant, signs, counts, dense] as const;
      const length = encodePlane(
        plane,
        groups,
        ...of,
        scales,
        rules[j]!,
        contexts,
        codes[j]!,
        apart,
        extracts,
        list,
        out,
      );
      units.push(runtime.bytes(out, length).slice());
      if (!signsFollow) return;
      units.push(
        runtime.bytes(out, encodeSigns(count, groups, threshold, ...of, extracts, list, out)).slice(),
      );
    });
    runtime.store(at.bytes, state.bytes);
    return { units, state };
  }

  function encodeRemainder(
    ...[{ state, layout, scale, selection }, patterns]: Parameters<EmbeddedEncodeKernels['encodeRemainder']>
  ): Uint8Array {
    const groups = state.dense.length;
    const weights = GROUP * groups;
    const filled = allocateZeros(runtime, weights * layout.bytes);
    runtime.load(patterns, filled);
    const classes = loadInto(runtime, finalClasses(state));
    const dense = loadInto(runtime, state.dense);
    const codes = loadCodes(runtime, { selection, fixed: false });
    const absent = runtime.allocate(GROUP_BYTES * groups);
    const nonzero = runtime.allocate(GROUP_BYTES * groups);
    const tables = runtime.allocate(TABLES_BYTES);
    const list = runtime.allocate(ENTRY_BYTES * WEIGHT_ENTRIES * weights);
    const fields = runtime.allocate(LONG_ENTRY_BYTES * (weights / 2));
    const out = runtime.allocate(WEIGHT_BYTES * weights + OVERWRITE_BYTES);
    const length = kernels().encodeRemainder(
      filled,
      patterns.length,
      classes,
      dense,
      codes,
      selection.length > 0,
      layout.mantissaBits,
      layout.exponentBits,
      scale + layout.bias,
      absent,
      nonzero,
      tables,
      list,
      fields,
      out,
    );
    return runtime.bytes(out, length).slice();
  }
}

function allocateZeros(runtime: WasmRuntime, byteLength: number): number {
  const address = runtime.allocate(byteLength);
  runtime.bytes(address, byteLength).fill(0);
  return address;
}
