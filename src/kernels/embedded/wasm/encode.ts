import { ownRuntime } from '../../runtime/encodeKernels.js';
import type { WasmRuntime } from '../../runtime/runtime.js';
import type {
  EmbeddedEncodeKernels,
  EncodedTile,
  FloatLayout,
  TileCoding,
  TileWeights,
} from '../interface.js';
import { extractTable } from '../maskTables.js';
import { SUMS } from '../survey.js';
import { CLASS_OF, completeFrom, GROUP, GROUP_BYTES, NEVER } from '../tile.js';
import { loadCodes } from './codeTables.js';
import { countTiles } from './countTiles.js';
import { EMBEDDED_ENCODE_WASM } from './embeddedEncode.generated.js';
import { encodeExports } from './encodeExports.js';
import { groupChanges } from './groupChanges.js';
import { type LoadedTile, loadTile, sortTile } from './loadTile.js';
import { isCounted, measure, measureShort, morePlanes } from './measureTile.js';
import { allocateZeros, denseShift, loadInto, ruleBytes } from './memory.js';
import { surveyRows } from './surveyRows.js';

const ENTRY_BYTES = 4;
/** The largest group of a plane: 10 codes of 12 bits, 64 bits that are kept apart, 64 signs. */
const GROUP_UNIT_BYTES = 32;
/** Units of a plane. */
const UNITS = 2;
/** Words that say how a plane is coded. */
const CODING_FIELDS = 4;
/** Of a group in a list. */
const MASK_BYTES = 8;
/** Bytes of the largest weight, with two bits of bitmap. */
const WEIGHT_BYTES = 6;
/** Of a weight, what the remainder has of it. */
const FIELD_BYTES = 8;
/** Working memory of `encodeRemainder`. */
const TABLES_BYTES = 32;
/** Bit streams are written eight bytes at a time. */
const OVERWRITE_BYTES = 8;

let shared: EmbeddedEncodeKernels | undefined;

/** @throws what `ownRuntime` throws */
export function wasmEmbeddedEncode(): EmbeddedEncodeKernels {
  shared ??= kernelsOn(ownRuntime('embeddedEncode', EMBEDDED_ENCODE_WASM));
  return shared;
}

function kernelsOn(runtime: WasmRuntime): EmbeddedEncodeKernels {
  return {
    surveyRows: (...args) => runtime.scope(() => surveyRows(runtime, ...args)),
    countTiles: (...args) => runtime.scope(() => countTiles(runtime, ...args)),
    sortTile: (...args) => runtime.scope(() => sortTile(runtime, ...args)),
    groupChanges: (...args) => runtime.scope(() => groupChanges(runtime, ...args)),
    encodeTile: (...args) => runtime.scope(() => encodeTile(...args)),
  };

  function encodeTile(
    tile: TileWeights,
    coding: TileCoding,
    exceptions: Uint8Array,
    target?: Uint8Array,
  ): EncodedTile {
    const { depth, dense: denseRule, codedDense, planes: codings, nonzero, lastOnly = false } = coding;
    // What is kept comes first.
    const extracts = runtime.keep(extractTable());
    runtime.keep(CLASS_OF);
    const rules = codings.map((own) => runtime.keep(ruleBytes(own)));
    const marks = nonzero !== undefined && nonzero.length > 0;
    const codes = loadCodes(
      runtime,
      marks ? [...codings, { selection: nonzero, fixed: undefined }] : codings,
    );
    const counted = isCounted(tile);
    const estimates = !counted && nonzero !== undefined;
    const more = estimates ? morePlanes(depth, tile.patterns.length) : 0;
    const loaded = loadTile(runtime, tile, coding, more, !counted);
    const { weights, groups, stride, planes, signs, significant, counts, dense, scales, contexts } = loaded;
    const denseFrom = runtime.allocate(groups);
    runtime.bytes(denseFrom, groups).fill(NEVER);
    const list = runtime.allocate(ENTRY_BYTES * (groups + 1));
    const masks = runtime.allocate(MASK_BYTES * (groups + 1));
    const planeBytes = (GROUP_UNIT_BYTES + GROUP_BYTES) * groups;
    const room = depth * planeBytes + exceptions.length + WEIGHT_BYTES * GROUP * groups;
    const out = runtime.allocate(room + OVERWRITE_BYTES);
    const sums = allocateZeros(runtime, 8 * SUMS * depth);
    const lengths = runtime.allocate(4 * (UNITS * depth + 1));
    const fields = new Int32Array(CODING_FIELDS * depth);
    for (let j = 0; j < depth; j++) {
      const { apart, level } = codings[j]!;
      fields[CODING_FIELDS * j] = rules[j]!;
      fields[CODING_FIELDS * j + 1] = codes[j]!;
      fields[CODING_FIELDS * j + 2] = apart ? 1 : 0;
      fields[CODING_FIELDS * j + 3] = denseRule.ratio + 4 * level;
    }
    let size = encodeExports(runtime).encodePlanes(
      weights,
      depth,
      lastOnly ? depth - 1 : 0,
      planes,
      stride,
      signs,
      significant,
      counts,
      dense,
      scales,
      denseFrom,
      denseRule.threshold,
      denseShift(codedDense),
      loadInto(runtime, fields),
      extracts,
      list,
      masks,
      contexts,
      lengths,
      out,
    );
    let units = UNITS * depth;
    if (nonzero !== undefined) {
      const start = out + size + exceptions.length;
      runtime.load(exceptions, out + size);
      const bits = encodeRemainder(tile.layout, coding.scale, codes[depth], loaded, extracts, list, start);
      runtime.words(lengths, units + 1)[units] = exceptions.length + bits;
      size += exceptions.length + bits;
      units += 1;
    }
    let energy = 0;
    if (!lastOnly) {
      energy = counted
        ? measureShort(runtime, tile.layout, coding, loaded, denseFrom, sums)
        : measure(runtime, tile.layout, depth, more, loaded, denseFrom, sums);
    }
    // One copy of all.
    const fits = target !== undefined && size <= target.length;
    const bytes = fits ? target.subarray(0, size) : new Uint8Array(size);
    runtime.store(out, bytes);
    return {
      bytes,
      lengths: runtime.words(lengths, units).slice(),
      energy,
      sums: runtime.doubles(sums, SUMS * depth).slice(),
      denseFrom: runtime.bytes(denseFrom, groups).slice(),
    };
  }

  /** @param codes of the bitmap of weights that are not zero, if it has one */
  function encodeRemainder(
    layout: FloatLayout,
    scale: number,
    codes: number | undefined,
    { weights, groups, patterns, signs, counts, dense, contexts }: LoadedTile,
    extracts: number,
    list: number,
    out: number,
  ): number {
    const { mantissaBits, exponentBits, bias, tapered = false } = layout;
    const absent = runtime.allocate(GROUP_BYTES * groups);
    const nonzero = runtime.allocate(GROUP_BYTES * groups);
    const tables = runtime.allocate(TABLES_BYTES);
    const fields = runtime.allocate(FIELD_BYTES * GROUP);
    return encodeExports(runtime).encodeRemainder(
      patterns,
      weights,
      signs,
      counts,
      runtime.keep(CLASS_OF),
      dense,
      codes ?? 0,
      codes !== undefined,
      mantissaBits,
      exponentBits,
      tapered,
      completeFrom(layout, scale + bias),
      scale + bias,
      absent,
      nonzero,
      tables,
      extracts,
      list,
      fields,
      contexts,
      out,
    );
  }
}
