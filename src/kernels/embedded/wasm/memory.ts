import type { WasmRuntime } from '../../runtime/runtime.js';
import { type ContextCodes, codesOf, contextRule } from '../contexts.js';
import type { PlaneCoding, TileState } from '../interface.js';
import type { PrefixCode } from '../prefixCodes.js';
import { checkLength, GROUP_BYTES } from '../tile.js';

/** The layout of tiles and codes for the embedded kernels. */

export function loadState(runtime: WasmRuntime, state: TileState) {
  const address = loadInto(runtime, state.bytes);
  const signs = address + GROUP_BYTES * state.groups;
  return { signs, dense: signs + (GROUP_BYTES + 1) * state.groups };
}

export function loadInto(runtime: WasmRuntime, bytes: ArrayBufferView): number {
  const address = runtime.allocate(bytes.byteLength);
  runtime.load(bytes, address);
  return address;
}

/** Kernels load up to sixteen bytes at a time. */
const OVERREAD_BYTES = 16;

/**
 * @param largest bytes of the largest valid unit: a longer one is refused, and kernels may read past the end of a
 *   shorter one
 */
export function loadUnit(runtime: WasmRuntime, unit: Uint8Array, largest: number): number {
  checkLoadable(unit, largest);
  const stream = allocateUnits(runtime, 1, largest, 0);
  runtime.load(unit, stream);
  return stream;
}

/**
 * Room for so many units, one after another, that `checkLoadable` lets pass.
 * @param bytes of the largest valid ones together
 * @param largest bytes of the largest of them, which a kernel may take any for
 */
export function allocateUnits(runtime: WasmRuntime, units: number, bytes: number, largest: number): number {
  return runtime.allocate(bytes + largest + (units + 1) * OVERREAD_BYTES);
}

/** @throws FormatError when there is no room for the unit where `allocateUnits` made it */
export function checkLoadable(unit: Uint8Array, largest: number): void {
  if (unit.length > largest + OVERREAD_BYTES) checkLength(unit, largest);
}

/** Bitmaps, and from one to the next. */
export interface LoadedPlanes {
  readonly address: number;
  readonly stride: number;
}

/** A line of the cache: bitmaps of a power of two would all compete for the same few lines. */
export const APART = 64;

/** @param bytes of a bitmap */
export function loadPlanes(runtime: WasmRuntime, planes: readonly Uint8Array[], bytes: number): LoadedPlanes {
  const stride = bytes + APART;
  const address = runtime.allocate(planes.length * stride);
  for (const [k, plane] of planes.entries()) runtime.load(plane, address + k * stride);
  return { address, stride };
}

/** In place of an address: the context has no codes. */
const NO_CODE = 1;

/** Contexts from the first number to before the second. */
export type ContextRange = readonly [first: number, end: number];

/**
 * For the kernels that decode: the codes of each context.
 * @param needed contexts whose codes must be there; default all
 */
export function loadLookups(runtime: WasmRuntime, coding: Codes, needed?: ContextRange): number {
  if (coding.fixed && runtime.keeps) return keepFixedLookups(runtime, coding, needed);
  return loadTables(runtime, coding, 'lookup', needed);
}

let unloaded: Uint32Array | undefined;

/** Records of all contexts of fixed codes, which stay in the memory, with the codes of those that have been needed. */
function keepFixedLookups(runtime: WasmRuntime, coding: Codes, needed?: ContextRange): number {
  const codes = codesOf(coding);
  unloaded ??= new Uint32Array(LOOKUP_FIELDS * codes.length).fill(NO_CODE);
  const address = runtime.keep(unloaded);
  const [first, end] = needed ?? [0, codes.length];
  let records = runtime.words(address, unloaded.length);
  for (let i = first; i < end; i++) {
    if (records[LOOKUP_FIELDS * i] !== NO_CODE) continue;
    const record = new Uint32Array(LOOKUP_FIELDS);
    putRecord(runtime, codes[i]!, 'lookup', record, 0);
    // The memory may have grown.
    records = runtime.words(address, unloaded.length);
    records.set(record, LOOKUP_FIELDS * i);
  }
  return address;
}

/** The same for the kernels that encode. */
export function loadCodes(runtime: WasmRuntime, coding: Codes): number {
  return coding.fixed ? loadFixedCodes(runtime, coding) : loadTables(runtime, coding, 'entries');
}

let image: Uint32Array | undefined;

/** The tables of all fixed codes. Addresses are counted from its start, until it is in the memory of the kernels. */
function loadFixedCodes(runtime: WasmRuntime, coding: Codes): number {
  const codes = codesOf(coding);
  const count = 3 * codes.length;
  if (image === undefined) {
    const places = new Map<PrefixCode, number>();
    for (const { bytes, batch } of codes as ContextCodes[]) {
      for (const code of [bytes?.mask, bytes?.byte, batch]) {
        if (code !== undefined && !places.has(code))
          places.set(code, count + places.size * code.entries.length);
      }
    }
    const made = new Uint32Array(count + places.size * 256);
    for (const [code, place] of places) made.set(code.entries, place);
    codes.forEach((context, i) => {
      const { bytes, batch } = context!;
      [bytes?.mask, bytes?.byte, batch].forEach((code, k) => {
        if (code !== undefined) made[3 * i + k] = 4 * places.get(code)!;
      });
    });
    image = made;
  }
  return runtime.keep(image, (address) => {
    const addresses = runtime.words(address, count);
    for (let i = 0; i < count; i++) if (addresses[i] !== 0) addresses[i]! += address;
  });
}

type Codes = Pick<PlaneCoding, 'selection' | 'fixed'>;

/** A context has three addresses: of the codes of masks, of bytes, of batches. */
const CODE_FIELDS = 3;
/** Behind them, for each, which bits of the stream, above one that says nothing, are places in it. */
const LOOKUP_FIELDS = 6;

function putRecord(
  runtime: WasmRuntime,
  { bytes, batch }: ContextCodes,
  table: 'lookup' | 'entries',
  records: Uint32Array,
  at: number,
): void {
  putCode(runtime, bytes?.mask, table, records, at);
  putCode(runtime, bytes?.byte, table, records, at + 1);
  putCode(runtime, batch, table, records, at + 2);
}

function putCode(
  runtime: WasmRuntime,
  code: PrefixCode | undefined,
  table: 'lookup' | 'entries',
  records: Uint32Array,
  at: number,
): void {
  records[at] = code === undefined ? 0 : runtime.keep(code[table]);
  if (table === 'lookup') records[at + CODE_FIELDS] = code === undefined ? 0 : 2 * (code.lookup.length - 1);
}

/** Records of contexts. The address of the first one is where that of context 0 would be. */
function loadTables(
  runtime: WasmRuntime,
  coding: Codes,
  table: 'lookup' | 'entries',
  needed?: ContextRange,
): number {
  const all = codesOf(coding);
  const [first, end] = needed ?? [0, all.length];
  const fields = table === 'lookup' ? LOOKUP_FIELDS : CODE_FIELDS;
  const records = new Uint32Array(fields * (end - first)).fill(NO_CODE);
  for (let i = 0; i < end - first; i++) {
    const codes = all[first + i];
    if (codes !== undefined) putRecord(runtime, codes, table, records, fields * i);
  }
  return loadInto(runtime, records) - records.BYTES_PER_ELEMENT * fields * first;
}

/** By level; those of selections, which do not depend on it, at -1. */
const rules = new Map<number, Uint8Array>();

/** How `assembly/contexts.ts` finds contexts: what each count adds, of dense groups any, twice, and what each scale. */
export function ruleBytes(coding: Pick<PlaneCoding, 'fixed' | 'level'>): Uint8Array {
  const key = coding.fixed ? coding.level : -1;
  let bytes = rules.get(key);
  if (bytes === undefined) {
    const { firstDense, secondDense, stride, offset, lastRatio, kinds } = contextRule(coding);
    bytes = new Uint8Array(RULE_SCALES + 256);
    bytes.fill(firstDense, kinds.length, 2 * kinds.length);
    bytes.fill(secondDense, 2 * kinds.length, 3 * kinds.length);
    bytes.set(kinds);
    for (let scale = 0; scale < 256; scale++) {
      bytes[RULE_SCALES + scale] = stride * Math.min(Math.max(scale - offset, 0), lastRatio);
    }
    rules.set(key, bytes);
  }
  return bytes;
}

const RULE_SCALES = 256;

/** What brings the state of a dense group from one plane to the next: it is 1 at first, and at the end `DENSE`. */
export function denseShift(codedDense: number): number {
  return codedDense > 1 ? 1 : 2;
}

/** For each mask of eight bytes, the source of each byte: those of the set bits are one after another. */
export const SPREADS: Uint8Array = Uint8Array.from({ length: 8 << 8 }, (_, index) => {
  const mask = index >> 3;
  const place = index & 7;
  if (((mask >> place) & 1) === 0) return 0xff;
  let before = 0;
  for (let i = 0; i < place; i++) before += (mask >> i) & 1;
  return before;
});

export function allocateZeros(runtime: WasmRuntime, byteLength: number): number {
  const address = runtime.allocate(byteLength);
  runtime.bytes(address, byteLength).fill(0);
  return address;
}
