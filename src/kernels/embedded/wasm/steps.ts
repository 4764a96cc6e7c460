import { likeAligned } from '../../../bytes/sharedMemory.js';
import type { WasmRuntime } from '../../runtime/runtime.js';
import { contextRule } from '../contexts.js';
import type { DenseRule, EmbeddedKernels, PlaneCoding, TileState, TileStep } from '../interface.js';
import { checkLength, checkMostCount, GROUP, GROUP_BYTES } from '../tile.js';
import { type ContextRange, loadLookups } from './codeTables.js';
import type { EmbeddedExports } from './exports.js';
import { allocateUnits, checkLoadable, denseShift, ruleBytes, SPREADS } from './memory.js';

/** The largest group of a plane: 11 codes of 12 bits, 64 bits that were kept apart, 64 signs. */
const GROUP_UNIT_BYTES = 40;
/** The most groups in the memory of the kernels at once, unless `TOGETHER` tiles have more: they stay in a near cache. */
const GROUPS_AT_ONCE = 1024;
/** Tiles of which kernels decode a plane together. */
const TOGETHER = 4;
/** What they know of a tile: u32, as `assembly/record.ts` says. */
const RECORD_FIELDS = 24;
const USED = 10;
/** Of a group in a list: its number, a mask. */
const LISTED_BYTES = 4;
const MASK_BYTES = 8;
/** Tables of what spreads bits to the places of weights. */
const SPREAD_BYTES = 192;

/** Addresses of what a coding needs. */
interface LoadedCoding {
  readonly rule: number;
  codes: number;
}

export function wasmEmbeddedSteps(runtime: WasmRuntime): EmbeddedKernels['decodeSteps'] {
  return (steps, rule) => {
    runtime.scope(() => {
      if (steps.length > 0) decodeAll(steps, rule);
    });
  };

  function decodeAll(steps: readonly TileStep[], { threshold, ratio }: DenseRule): void {
    // What is kept comes first.
    const spreads = runtime.keep(SPREADS);
    const codings = loadCodings(steps);
    let most = 0;
    for (const step of steps) most = Math.max(most, groupsOf(step));
    const records = runtime.allocate(4 * RECORD_FIELDS * TOGETHER);
    const tables = runtime.allocate(SPREAD_BYTES);
    const scratch = runtime.allocate(4 * RECORD_FIELDS);
    const listBytes = LISTED_BYTES * (most + 1);
    const maskBytes = MASK_BYTES * (most + 1);
    const lists = runtime.allocate(listBytes * TOGETHER);
    const masks = runtime.allocate(maskBytes * TOGETHER);
    const { storeTables, mostCount, decodePlanes, decodeSigns } =
      runtime.exports<EmbeddedExports>('embedded');
    storeTables(tables);
    const groupsAtOnce = Math.max(GROUPS_AT_ONCE, TOGETHER * most);
    for (let first = 0; first < steps.length; ) {
      let groups = 0;
      let end = first;
      while (end < steps.length && groups + groupsOf(steps[end]!) <= groupsAtOnce) {
        groups += groupsOf(steps[end++]!);
      }
      const start = first;
      runtime.scope(() => decodeSome(start, end, groups));
      first = end;
    }

    /** @param groups of all of them */
    function decodeSome(start: number, end: number, groups: number): void {
      // Where the state of each tile is.
      const places = new Map<TileState, number>();
      const states: Uint8Array[] = [];
      const units: Uint8Array[] = [];
      const planes: Uint8Array[] = [];
      let size = 0;
      for (let i = start; i < end; i++) {
        const { unit, state, from, to, plane } = steps[i]!;
        checkLoadable(unit, GROUP_UNIT_BYTES * (to - from));
        units.push(unit);
        if (plane !== undefined) planes.push(plane);
        if (places.has(state)) continue;
        places.set(state, size);
        states.push(state.bytes);
        size += state.bytes.length;
      }
      const room = allocateUnits(runtime, end - start, GROUP_UNIT_BYTES * groups, GROUP_UNIT_BYTES * most);
      // Most follow each other where they come from.
      let unit = likeAligned(room, steps[start]!.unit);
      const firstState = runtime.allocate(size);
      const firstPlane = runtime.allocate(GROUP_BYTES * groups);
      let plane = firstPlane;
      load(runtime, units, unit);
      load(runtime, states, firstState);
      const fields = runtime.words(records, RECORD_FIELDS * TOGETHER);
      for (let i = start; i < end; ) {
        const step = steps[i]!;
        const { coding } = step;
        putStep(step, 0);
        if (step.plane === undefined) {
          const weights = Math.min(step.state.count, GROUP * step.to) - GROUP * step.from;
          decodeSigns(records, weights, threshold, Math.max(0, ratio + 4 * coding.level), tables);
          checkLength(step.unit, fields[USED]!);
          i += 1;
          continue;
        }
        let tiles = 1;
        for (; tiles < TOGETHER && i + tiles < end; tiles++) {
          const next = steps[i + tiles]!;
          if (next.coding !== coding || next.plane === undefined) break;
          putStep(next, tiles);
        }
        const { codes, rule } = codings.get(coding)!;
        const shift = denseShift(coding.codedDense);
        decodePlanes(records, tiles, codes, spreads, tables, coding.apart, shift, rule, scratch);
        for (let tile = 0; tile < tiles; tile++) {
          checkLength(steps[i++]!.unit, fields[RECORD_FIELDS * tile + USED]!);
        }
      }
      store(runtime, firstPlane, planes);
      store(runtime, firstState, states);

      /** @param which of the records */
      function putStep(
        { unit: bits, state, from, to, coding, plane: bitmap }: TileStep,
        which: number,
      ): void {
        const all = state.groups;
        const first = firstState + places.get(state)!;
        const counts = first + 2 * GROUP_BYTES * all + from;
        const dense = counts + all;
        const at = RECORD_FIELDS * which;
        fields[at] = unit;
        fields[at + 1] = to - from;
        fields[at + 2] = first + GROUP_BYTES * from;
        fields[at + 3] = first + GROUP_BYTES * (all + from);
        fields[at + 4] = counts;
        fields[at + 5] = dense;
        fields[at + 6] = plane;
        fields[at + 7] = dense + all;
        fields[at + 8] = lists + listBytes * which;
        fields[at + 9] = masks + maskBytes * which;
        unit += bits.length;
        if (bitmap === undefined) return;
        plane += bitmap.length;
        if (coding.fixed) return;
        checkMostCount(coding.selection, mostCount(records + 4 * at));
      }
    }
  }

  function loadCodings(steps: readonly TileStep[]): ReadonlyMap<PlaneCoding, LoadedCoding> {
    const loaded = new Map<PlaneCoding, LoadedCoding>();
    const fixed: PlaneCoding[] = [];
    const others: PlaneCoding[] = [];
    for (const { coding, plane } of steps) {
      if (plane === undefined || loaded.has(coding)) continue;
      loaded.set(coding, { rule: runtime.keep(ruleBytes(coding)), codes: 0 });
      (coding.fixed ? fixed : others).push(coding);
    }
    // Tables stay only where nothing is allocated yet.
    for (const coding of others) runtime.scope(() => loadLookups(runtime, coding));
    const codesOfFixed = fixed.length > 0 ? loadLookups(runtime, fixed[0]!, contextsOf(steps, fixed)) : 0;
    for (const coding of fixed) loaded.get(coding)!.codes = codesOfFixed;
    for (const coding of others) loaded.get(coding)!.codes = loadLookups(runtime, coding);
    return loaded;
  }
}

const groupsOf = ({ from, to }: TileStep) => to - from;

/** Copies arrays to an address, one after another. */
function load(runtime: WasmRuntime, arrays: readonly Uint8Array[], address: number): void {
  forRuns(arrays, (run) => {
    runtime.load(run, address);
    address += run.length;
  });
}

/** The inverse. */
function store(runtime: WasmRuntime, address: number, arrays: readonly Uint8Array[]): void {
  forRuns(arrays, (run) => {
    runtime.store(address, run);
    address += run.length;
  });
}

/** Arrays; those that follow each other in one buffer as one. */
function forRuns(arrays: readonly Uint8Array[], visit: (run: Uint8Array) => void): void {
  for (let i = 0; i < arrays.length; ) {
    const first = arrays[i++]!;
    const { buffer, byteOffset, length } = first;
    let end = byteOffset + length;
    for (; arrays[i]?.buffer === buffer && arrays[i]!.byteOffset === end; i++) end += arrays[i]!.length;
    const all = end - byteOffset;
    visit(all === length ? first : new Uint8Array(buffer, byteOffset, all));
  }
}

/** The contexts that can occur in planes with fixed codes: few codes are needed of all. */
function contextsOf(steps: readonly TileStep[], codings: readonly PlaneCoding[]): ContextRange {
  let least = 255;
  let most = 0;
  for (const { state } of steps) {
    least = Math.min(least, state.leastScale);
    most = Math.max(most, state.mostScale);
  }
  let [first, end] = [Infinity, 0];
  for (const coding of codings) {
    const { stride, offset, lastRatio } = contextRule(coding);
    const ratioOf = (scale: number) => Math.min(Math.max(scale - offset, 0), lastRatio);
    first = Math.min(first, stride * ratioOf(least));
    end = Math.max(end, stride * (ratioOf(most) + 1));
  }
  return [first, end];
}
