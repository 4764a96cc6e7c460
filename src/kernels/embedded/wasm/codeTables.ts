import type { WasmRuntime } from '../../runtime/runtime.js';
import { codesOf } from '../contexts.js';
import { changedCodes, FIXED_CONTEXTS, fixedCodes } from '../fixedCodes.js';
import type { PlaneCoding } from '../interface.js';
import type { ContextCodes, PrefixCode } from '../prefixCodes.js';
import { loadInto } from './memory.js';

/**
 * The codes of contexts in the memory of the kernels: tables, and for each context a record with the addresses of its own.
 * Tables stay there, and so do the records of fixed codes.
 */

type Codes = Pick<PlaneCoding, 'selection' | 'fixed'>;

/** Contexts from the first number to before the second. */
export type ContextRange = readonly [first: number, end: number];

/** What kernels decode by, and what they encode by. */
type Table = 'lookup' | 'entries';

/** A context has three addresses: of the codes of masks, of bytes, of batches. */
const CODE_FIELDS = 3;
/** Behind them, for decoding, which bits of the stream, above one that says nothing, are places in each. */
const FIELDS: Readonly<Record<Table, number>> = { lookup: 2 * CODE_FIELDS, entries: CODE_FIELDS };

/** In place of an address: the context has no codes, or they are not loaded. */
const NO_CODE = 1;

/**
 * For the kernels that decode: the codes of each context.
 * @param needed contexts whose codes must be there; default all
 */
export function loadLookups(runtime: WasmRuntime, coding: Codes, needed?: ContextRange): number {
  return loadRecords(runtime, coding, 'lookup', needed);
}

/** The same for the kernels that encode, of several codings. Nothing is allocated before them. */
export function loadCodes(runtime: WasmRuntime, codings: readonly Codes[]): number[] {
  // All tables first: only what is kept while nothing is allocated stays.
  const records = codings.map((coding) => recordsOf(runtime, coding));
  const loaded = new Map<Uint32Array, number>();
  return records.map((own) => {
    const address = loaded.get(own) ?? loadInto(runtime, own);
    loaded.set(own, address);
    return address;
  });
}

/** By the letters or the selection of a coding: tiles of a tensor share them, and records take long to make. */
const known = new WeakMap<object, { runtime: WasmRuntime; generation: number; records: Uint32Array }>();

function recordsOf(runtime: WasmRuntime, coding: Codes): Uint32Array {
  const key = coding.fixed ?? coding.selection;
  const { generation } = runtime;
  const found = known.get(key);
  if (found?.runtime === runtime && found.generation === generation) return found.records;
  const contexts = coding.fixed ? FIXED_CONTEXTS : codesOf(coding).length;
  const records = runtime.scope(() =>
    runtime.words(loadRecords(runtime, coding, 'entries'), FIELDS.entries * contexts).slice(),
  );
  known.set(key, { runtime, generation, records });
  return records;
}

/** Returns the address where the record of context 0 is, or would be. */
function loadRecords(runtime: WasmRuntime, coding: Codes, table: Table, needed?: ContextRange): number {
  const { fixed } = coding;
  if (!fixed || !runtime.keeps) return addRecords(runtime, codesOf(coding), table, needed);
  const [first, end] = needed ?? [0, FIXED_CONTEXTS];
  const kept = keepFixed(runtime, table, first, end);
  const fields = FIELDS[table];
  const changed = changedCodes(fixed);
  const records = new Uint32Array(fields * changed.size);
  const places: number[] = [];
  for (const [context, codes] of changed) {
    if (context < first || context >= end) continue;
    putRecord(runtime, codes, table, records, fields * places.length);
    places.push(fields * (context - first));
  }
  if (places.length === 0) return kept;
  const size = fields * (end - first);
  const start = 4 * fields * first;
  const address = runtime.allocate(4 * size);
  const own = runtime.words(address, size);
  own.set(runtime.words(kept + start, size));
  // Views of so few fields take longer than to copy them.
  for (let i = 0; i < places.length; i++) {
    for (let field = 0; field < fields; field++) own[places[i]! + field] = records[fields * i + field]!;
  }
  return address - start;
}

const unloaded: Partial<Record<Table, Uint32Array>> = {};

/** Records of all fixed codes as they are, with the tables of those that have been needed. */
function keepFixed(runtime: WasmRuntime, table: Table, first: number, end: number): number {
  const codes = fixedCodes();
  const fields = FIELDS[table];
  unloaded[table] ??= new Uint32Array(fields * codes.length).fill(NO_CODE);
  const address = runtime.keep(unloaded[table]);
  let records = runtime.words(address, fields * codes.length);
  for (let i = first; i < end; i++) {
    if (records[fields * i] !== NO_CODE) continue;
    const record = new Uint32Array(fields);
    putRecord(runtime, codes[i], table, record, 0);
    // The memory may have grown.
    records = runtime.words(address, fields * codes.length);
    records.set(record, fields * i);
  }
  return address;
}

function addRecords(
  runtime: WasmRuntime,
  codes: readonly (ContextCodes | undefined)[],
  table: Table,
  [first, end]: ContextRange = [0, codes.length],
): number {
  const fields = FIELDS[table];
  const records = new Uint32Array(fields * (end - first));
  for (let i = first; i < end; i++) putRecord(runtime, codes[i], table, records, fields * (i - first));
  return loadInto(runtime, records) - 4 * fields * first;
}

/** Writes the record of a context at a place. */
function putRecord(
  runtime: WasmRuntime,
  codes: ContextCodes | undefined,
  table: Table,
  records: Uint32Array,
  at: number,
): void {
  const missing = codes === undefined ? NO_CODE : 0;
  putCode(codes?.bytes?.mask, at);
  putCode(codes?.bytes?.byte, at + 1);
  putCode(codes?.batch, at + 2);

  function putCode(code: PrefixCode | undefined, place: number): void {
    records[place] = code === undefined ? missing : runtime.keep(code[table]);
    if (table === 'lookup') {
      records[place + CODE_FIELDS] = code === undefined ? missing : 2 * (code.lookup.length - 1);
    }
  }
}
