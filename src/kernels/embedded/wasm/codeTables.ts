import type { WasmRuntime } from '../../runtime/runtime.js';
import { codesOf } from '../contexts.js';
import { fixedCodes } from '../fixedCodes.js';
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

/** The same for the kernels that encode. */
export function loadCodes(runtime: WasmRuntime, coding: Codes): number {
  return loadRecords(runtime, coding, 'entries');
}

/** Returns the address where the record of context 0 is, or would be. */
function loadRecords(runtime: WasmRuntime, coding: Codes, table: Table, needed?: ContextRange): number {
  const codes = codesOf(coding);
  const range = needed ?? [0, codes.length];
  if (!coding.fixed || !runtime.keeps) return addRecords(runtime, codes, table, range);
  const kept = keepFixed(runtime, table, range);
  const unchanged = fixedCodes(NOTHING_REPLACED);
  const changed: number[] = [];
  for (let i = range[0]; i < range[1]; i++) if (codes[i] !== unchanged[i]) changed.push(i);
  if (changed.length === 0) return kept;
  const records = changed.map((context) => recordOf(runtime, codes[context], table));
  const bytes = 4 * FIELDS[table];
  const start = bytes * range[0];
  const size = bytes * range[1] - start;
  const own = runtime.allocate(size) - start;
  runtime.bytes(own + start, size).set(runtime.bytes(kept + start, size));
  changed.forEach((context, i) => {
    runtime.load(records[i]!, own + bytes * context);
  });
  return own;
}

const NOTHING_REPLACED = new Uint16Array(0);

const unloaded: Partial<Record<Table, Uint32Array>> = {};

/** Records of all fixed codes as they are, with the tables of those that have been needed. */
function keepFixed(runtime: WasmRuntime, table: Table, [first, end]: ContextRange): number {
  const codes = fixedCodes(NOTHING_REPLACED);
  const fields = FIELDS[table];
  unloaded[table] ??= new Uint32Array(fields * codes.length).fill(NO_CODE);
  const address = runtime.keep(unloaded[table]);
  let records = runtime.words(address, fields * codes.length);
  for (let i = first; i < end; i++) {
    if (records[fields * i] !== NO_CODE) continue;
    const record = recordOf(runtime, codes[i], table);
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
  [first, end]: ContextRange,
): number {
  const fields = FIELDS[table];
  const records = new Uint32Array(fields * (end - first));
  for (let i = first; i < end; i++) records.set(recordOf(runtime, codes[i], table), fields * (i - first));
  return loadInto(runtime, records) - 4 * fields * first;
}

function recordOf(runtime: WasmRuntime, codes: ContextCodes | undefined, table: Table): Uint32Array {
  const record = new Uint32Array(FIELDS[table]);
  if (codes === undefined) return record.fill(NO_CODE);
  [codes.bytes?.mask, codes.bytes?.byte, codes.batch].forEach((code, k) => {
    if (code !== undefined) putCode(runtime, code, table, record, k);
  });
  return record;
}

function putCode(
  runtime: WasmRuntime,
  code: PrefixCode,
  table: Table,
  record: Uint32Array,
  at: number,
): void {
  record[at] = runtime.keep(code[table]);
  if (table === 'lookup') record[at + CODE_FIELDS] = 2 * (code.lookup.length - 1);
}
