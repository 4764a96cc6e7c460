import { HASH_TEXT } from '../models/file/plan.js';
import type { StagedTensor } from '../models/file/stagingStore.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { listOf, number, type Rule, text, wholeNumber } from '../src/checks/options.js';
import { optional, record } from '../src/checks/rules.js';
import { ArgumentError, FormatError } from '../src/errors.js';
import { OWN_PREFIX } from './storage/key.js';
import { type BulkStorage, readJson, type StoredObject, writeJson } from './storage/storage.js';
import type { TileRangeOfUnit, Unit } from './units.js';

/**
 * What runs note beside their results, under the id of a model: where each of its tensors is, what upload is under way, and that
 * the file is complete. Joins read no units but by these.
 */

export interface NotedTensor {
  /** XXH3-64 of the header piece, or of the whole tensor. */
  readonly hash: string;
  /** Undefined for a tensor that is stored plain, or divided. */
  readonly staged?: StagedTensor | undefined;
  readonly divided?: DividedTensor | undefined;
}

/** Where the pieces of a tensor are that was divided: in its unit's object, and in those of its ranges. */
export interface DividedTensor {
  readonly cosines: readonly number[];
  /** Bytes of the header piece, then of each fragment. */
  readonly sizes: readonly number[];
  /** Keys of the objects. */
  readonly objects: readonly string[];
  /** Of each piece, in order. */
  readonly windows: readonly (readonly Window[])[];
}

/** Bytes of an object. */
export interface Window {
  /** Among the objects, from 0. */
  readonly object: number;
  readonly offset: number;
  readonly size: number;
  /** XXH3-64: 16 hexadecimal digits. */
  readonly hash: string;
}

export interface UnitNote {
  /** Of the unit's object; undefined when no tensor of it is cut. */
  readonly key?: string | undefined;
  /** In the order of the unit. */
  readonly tensors: readonly NotedTensor[];
}

/** An upload of a model file that was not completed. */
export interface UploadNote {
  /** The key of the file. */
  readonly output: string;
  /** Undefined where it was about to begin, and where it cannot be resumed. */
  readonly state?: string | undefined;
  /** XXH3-64 of the file's header, which has the checksums of all else: 16 hexadecimal digits. */
  readonly header: string;
}

/** A model file as its storage had it when it was complete. */
export type DoneNote = StoredObject;

const SHA_TEXT: Rule<string> = (value) =>
  !(typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) && '64 hexadecimal digits';

const LENGTH = wholeNumber();

const STAGED: Rule<StagedTensor> = record<StagedTensor>({
  fingerprint: text,
  cosines: listOf(number(0, 1)),
  sizes: listOf(LENGTH),
  hashes: listOf(HASH_TEXT),
  entry: text,
  starts: listOf(LENGTH),
  startHash: HASH_TEXT,
});

const WINDOW: Rule<Window> = record<Window>({
  object: LENGTH,
  offset: LENGTH,
  size: LENGTH,
  hash: HASH_TEXT,
});

const DIVIDED: Rule<DividedTensor> = record<DividedTensor>({
  cosines: listOf(number(0, 1)),
  sizes: listOf(LENGTH),
  objects: listOf(SHA_TEXT),
  windows: listOf(listOf(WINDOW)),
});

const UNIT_NOTE: Rule<UnitNote> = record<UnitNote>({
  key: optional(SHA_TEXT),
  tensors: listOf(
    record<NotedTensor>({ hash: HASH_TEXT, staged: optional(STAGED), divided: optional(DIVIDED) }),
  ),
});

/** Of a range of a tensor that is divided. */
interface RangeNote {
  /** Of its object. */
  readonly key: string;
}

const RANGE_NOTE: Rule<RangeNote> = record<RangeNote>({ key: SHA_TEXT });

const UPLOAD_NOTE: Rule<UploadNote> = record<UploadNote>({
  output: text,
  state: optional(text),
  header: HASH_TEXT,
});
const DONE_NOTE: Rule<DoneNote> = record<DoneNote>({ size: LENGTH, version: optional(text) });

export const MODELS_PREFIX = `${OWN_PREFIX}models/`;
export const DONE_NOTE_NAME = 'done.json';

/** Of all notes of a model. */
export const folderOfNotes = (id: string) => `${MODELS_PREFIX}${id.slice(0, 2)}/${id}/`;
const unitNote = (id: string, { number }: Unit) => `${folderOfNotes(id)}${number}.json`;
const rangeNote = (id: string, { number }: Unit, range: TileRangeOfUnit) =>
  `${folderOfNotes(id)}${number}.${range.number}.json`;
export const UPLOAD_NOTE_NAME = 'upload.json';
const uploadNote = (id: string) => folderOfNotes(id) + UPLOAD_NOTE_NAME;
const doneNote = (id: string) => folderOfNotes(id) + DONE_NOTE_NAME;

export async function readNote(
  storage: BulkStorage,
  id: string,
  unit: Unit,
  options: AbortOptions,
): Promise<UnitNote | undefined> {
  const note = await read(storage, unitNote(id, unit), UNIT_NOTE, options);
  return note?.tensors.length === unit.tensors.length ? note : undefined;
}

/** Keys of the objects of a unit. */
export function objectsOf({ key, tensors }: UnitNote): string[] {
  const divided = tensors.flatMap((tensor) => tensor.divided?.objects ?? []);
  return [...new Set(key === undefined ? divided : [key, ...divided])];
}

/** Keys of the objects that a note is about; none for a note that is not about a unit or a range. */
export async function readNotedObjects(
  storage: BulkStorage,
  note: string,
  options: AbortOptions,
): Promise<readonly string[]> {
  const unit = await read(storage, note, UNIT_NOTE, options);
  if (unit !== undefined) return objectsOf(unit);
  const range = await read(storage, note, RANGE_NOTE, options);
  return range === undefined ? [] : [range.key];
}

/** The key of the object of a range. */
export async function readRangeNote(
  storage: BulkStorage,
  id: string,
  unit: Unit,
  range: TileRangeOfUnit,
  options: AbortOptions,
): Promise<string | undefined> {
  return (await read(storage, rangeNote(id, unit, range), RANGE_NOTE, options))?.key;
}

export function writeRangeNote(
  storage: BulkStorage,
  id: string,
  unit: Unit,
  range: TileRangeOfUnit,
  key: string,
  options: AbortOptions,
): Promise<void> {
  return writeJson(storage, rangeNote(id, unit, range), { key } satisfies RangeNote, options);
}

export function writeNote(
  storage: BulkStorage,
  id: string,
  unit: Unit,
  note: UnitNote,
  options: AbortOptions,
): Promise<void> {
  return writeJson(storage, unitNote(id, unit), note, options);
}

export function readUploadNote(
  storage: BulkStorage,
  id: string,
  options: AbortOptions,
): Promise<UploadNote | undefined> {
  return read(storage, uploadNote(id), UPLOAD_NOTE, options);
}

/** The upload that a note of this key is about. */
export function readUploadNoteAt(
  storage: BulkStorage,
  note: string,
  options: AbortOptions,
): Promise<UploadNote | undefined> {
  return read(storage, note, UPLOAD_NOTE, options);
}

export function writeUploadNote(
  storage: BulkStorage,
  id: string,
  note: UploadNote,
  options: AbortOptions,
): Promise<void> {
  return writeJson(storage, uploadNote(id), note, options);
}

export function removeUploadNote(storage: BulkStorage, id: string, options: AbortOptions): Promise<void> {
  return storage.remove(uploadNote(id), options);
}

export function readDoneNote(
  storage: BulkStorage,
  id: string,
  options: AbortOptions,
): Promise<DoneNote | undefined> {
  return read(storage, doneNote(id), DONE_NOTE, options);
}

export function writeDoneNote(
  storage: BulkStorage,
  id: string,
  note: DoneNote,
  options: AbortOptions,
): Promise<void> {
  return writeJson(storage, doneNote(id), note, options);
}

/** A note that cannot be read counts as none: what it is about is done again. */
async function read<T>(
  storage: BulkStorage,
  key: string,
  rule: Rule<T>,
  options: AbortOptions,
): Promise<T | undefined> {
  try {
    const value = await readJson(storage, key, options);
    return value === undefined || rule(value) ? undefined : (value as T);
  } catch (error) {
    if (error instanceof FormatError || error instanceof ArgumentError) return undefined;
    throw error;
  }
}
