import { HASH_TEXT } from '../models/file/plan.js';
import type { StagedTensor } from '../models/file/stagingStore.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { listOf, number, type Rule, text, wholeNumber } from '../src/checks/options.js';
import { optional, record } from '../src/checks/rules.js';
import { ArgumentError, FormatError } from '../src/errors.js';
import { OWN_PREFIX } from './storage/key.js';
import { type BulkStorage, readJson, type StoredObject, writeJson } from './storage/storage.js';
import type { Unit } from './units.js';

/**
 * What runs note beside their results, under the id of a model: where each of its tensors is, what upload is under way, and that
 * the file is complete. Joins read no units but by these.
 */

export interface NotedTensor {
  /** XXH3-64 of the header piece, or of the whole tensor. */
  readonly hash: string;
  /** Undefined for a tensor that is stored plain. */
  readonly staged?: StagedTensor | undefined;
}

export interface UnitNote {
  /** Of the unit's object; undefined when no tensor of it is cut. */
  readonly key?: string | undefined;
  /** In the order of the unit. */
  readonly tensors: readonly NotedTensor[];
}

/** An upload of a model file that was not completed. */
export interface UploadNote {
  readonly state: string;
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

const UNIT_NOTE: Rule<UnitNote> = record<UnitNote>({
  key: optional(SHA_TEXT),
  tensors: listOf(record<NotedTensor>({ hash: HASH_TEXT, staged: optional(STAGED) })),
});

const UPLOAD_NOTE: Rule<UploadNote> = record<UploadNote>({ state: text, header: HASH_TEXT });
const DONE_NOTE: Rule<DoneNote> = record<DoneNote>({ size: LENGTH, version: optional(text) });

export const MODELS_PREFIX = `${OWN_PREFIX}models/`;
export const DONE_NOTE_NAME = 'done.json';

const folderOf = (id: string) => `${MODELS_PREFIX}${id.slice(0, 2)}/${id}/`;
const unitNote = (id: string, { number }: Unit) => `${folderOf(id)}${number}.json`;
const uploadNote = (id: string) => `${folderOf(id)}upload.json`;
const doneNote = (id: string) => folderOf(id) + DONE_NOTE_NAME;

export async function readNote(
  storage: BulkStorage,
  id: string,
  unit: Unit,
  options: AbortOptions,
): Promise<UnitNote | undefined> {
  const note = await read(storage, unitNote(id, unit), UNIT_NOTE, options);
  return note?.tensors.length === unit.tensors.length ? note : undefined;
}

/** The key of the unit that a note is about; undefined for a note that is not about a unit, or about one without an object. */
export async function readUnitKey(
  storage: BulkStorage,
  note: string,
  options: AbortOptions,
): Promise<string | undefined> {
  return (await read(storage, note, UNIT_NOTE, options))?.key;
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
