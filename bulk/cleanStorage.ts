import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { check, checkOptions, flag, number, type Rules } from '../src/checks/options.js';
import { eachBounded } from '../workers/eachBounded.js';
import {
  DONE_NOTE_NAME,
  MODELS_PREFIX,
  readNotedObjects,
  readUploadNoteAt,
  UPLOAD_NOTE_NAME,
} from './notes.js';
import { type BulkStorage, type ListedObject, STORAGE } from './storage/storage.js';
import { UNITS_PREFIX, unitObject } from './unitFile.js';

export interface CleanOptions extends AbortOptions {
  /** Milliseconds: what is younger is kept. Default: a day. */
  readonly olderThan?: number | undefined;
  /** Delete nothing. */
  readonly dryRun?: boolean | undefined;
}

/** What was deleted, or would be. */
export interface CleanResult {
  readonly objects: number;
  readonly bytes: number;
  /** Encoded units that stay. */
  readonly keptUnits: number;
}

const RULES: Rules<CleanOptions> = { ...ABORT_RULES, olderThan: number(0), dryRun: flag };

const DAY_MS = 86_400_000;
const MAX_REQUESTS = 16;

/**
 * Deletes encoded units, and notes of them, that no conversion needs: those of models that are converted, and those of
 * conversions in which nothing was written for `olderThan`, whose uploads are aborted. Model files stay, and so does the note that a model is done. Workers may
 * go on meanwhile: a unit that one of them misses is encoded again. Memory: the keys of the units of models under way.
 *
 * @throws ArgumentError, SourceError, SinkError; the reason of the signal
 *
 * @example
 * const storage = await folderStorage('converted');
 * const { objects, bytes } = await cleanStorage(storage, { dryRun: true });
 * console.log(`${objects} objects of ${bytes} bytes could be deleted`);
 */
export async function cleanStorage(storage: BulkStorage, options: CleanOptions = {}): Promise<CleanResult> {
  check('storage', storage, STORAGE);
  checkOptions(options, RULES);
  const { olderThan = DAY_MS, dryRun = false, signal } = options;
  const before = Date.now() - olderThan;
  const needed = new Set<string>();
  let objects = 0;
  let bytes = 0;
  let keptUnits = 0;
  const work = async ({ key, size }: ListedObject, own: AbortSignal) => {
    if (!dryRun) {
      if (key.endsWith(UPLOAD_NOTE_NAME)) await abortNotedUpload(storage, key, before, { signal: own });
      await storage.remove(key, { signal: own });
    }
    objects++;
    bytes += size;
  };
  await eachBounded(removableNotes(storage, before, needed, { signal }), MAX_REQUESTS, work, signal);
  const units = async function* () {
    for await (const unit of storage.list(UNITS_PREFIX, { signal })) {
      if (unit.modified <= before && !needed.has(unit.key)) yield unit;
      else keptUnits++;
    }
  };
  await eachBounded(units(), MAX_REQUESTS, work, signal);
  return { objects, bytes, keptUnits };
}

/** Aborts the upload that a note is about, and those of the same file that ended before they were noted. */
async function abortNotedUpload(
  storage: BulkStorage,
  note: string,
  before: number,
  { signal }: AbortOptions,
): Promise<void> {
  const found = await readUploadNoteAt(storage, note, { signal });
  if (found !== undefined) await storage.abortUploads?.(found.output, { before, signal });
}

/** Notes that no conversion needs. Collects the units of those that one needs. */
async function* removableNotes(
  storage: BulkStorage,
  before: number,
  needed: Set<string>,
  options: AbortOptions,
): AsyncGenerator<ListedObject> {
  for await (const notes of byFolder(storage.list(MODELS_PREFIX, options))) {
    const rest = notes.filter(({ key }) => !key.endsWith(DONE_NOTE_NAME));
    const done = notes.find(({ key }) => key.endsWith(DONE_NOTE_NAME));
    const last = rest.reduce((latest, { modified }) => Math.max(latest, modified), 0);
    // A model that is converted once more writes notes after the one that it was done.
    const isUnderWay = last > before && (done === undefined || done.modified < last);
    if (!isUnderWay) {
      for (const note of rest) if (note.modified <= before) yield note;
      continue;
    }
    const add = async ({ key }: ListedObject, own: AbortSignal) => {
      for (const one of await readNotedObjects(storage, key, { signal: own })) needed.add(unitObject(one));
    };
    await eachBounded(rest, MAX_REQUESTS, add, options.signal);
  }
}

/** Objects that follow each other in one folder together. */
async function* byFolder(objects: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject[]> {
  let folder = '';
  let some: ListedObject[] = [];
  for await (const object of objects) {
    const own = object.key.slice(0, object.key.lastIndexOf('/'));
    if (own !== folder && some.length > 0) {
      yield some;
      some = [];
    }
    folder = own;
    some.push(object);
  }
  if (some.length > 0) yield some;
}
