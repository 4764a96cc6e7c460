import { layOutModelFile } from '../models/file/assemble.js';
import { formatHash } from '../models/file/plan.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { SinkError, SourceError } from '../src/errors.js';
import { eachBounded } from '../workers/eachBounded.js';
import { hasBeside, writeBeside } from './besideFiles.js';
import { eachInOrder } from './eachInOrder.js';
import { encodeUnit } from './encodeUnit.js';
import { findNotedUnit } from './findNotedUnit.js';
import {
  readDoneNote,
  readUploadNote,
  removeUploadNote,
  type UnitNote,
  writeDoneNote,
  writeUploadNote,
} from './notes.js';
import { type JoinJob, pieceReader, piecesOf } from './pieces.js';
import type { BulkUpload } from './storage/storage.js';
import type { UnitContext } from './unitContext.js';
import type { Unit } from './units.js';

export interface JoinOptions extends AbortOptions {
  /** Called with the bytes written so far, and the size of the file. */
  readonly onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

export interface JoinResult {
  readonly fileSize: number;
  /** Whether it was there, complete, before this run. */
  readonly isNew: boolean;
  /** Units that the storage no longer had: encoded once more. */
  readonly encodedUnits: number;
}

/** Bytes of pieces that are read before it is their turn: at least one piece, however large. */
const READ_AHEAD = 2 ** 25;
const MAX_READS = 16;

/** Whether the model file is in the storage, as this run would make it. */
export async function findJoined(
  { opened, storage }: Pick<UnitContext, 'opened' | 'storage'>,
  output: string,
  options: AbortOptions,
): Promise<{ readonly size: number } | undefined> {
  if (!opened.isVersioned) return undefined;
  const [note, object] = await Promise.all([
    readDoneNote(storage, opened.id, options),
    storage.head(output, options),
  ]);
  if (note === undefined || object === undefined) return undefined;
  // Another model may have been written there since, and be as large.
  if (note.size !== object.size || note.version !== object.version) return undefined;
  return (await hasBeside({ opened, storage }, output, options)) ? object : undefined;
}

/**
 * Makes the model file of its units, in the order that it is loaded in. Nothing is decoded. Memory: the plan of the file, and the
 * pieces that are read ahead.
 * @param notes of all units, as far as they are known
 */
export async function joinModel(
  context: UnitContext,
  units: readonly Unit[],
  notes: ReadonlyMap<number, UnitNote>,
  output: string,
  { signal, onProgress }: JoinOptions,
): Promise<JoinResult> {
  const { opened, storage } = context;
  const joined = await findJoined(context, output, { signal });
  if (joined !== undefined) return { fileSize: joined.size, isNew: false, encodedUnits: 0 };
  const { jobs, encodedUnits } = await jobsOf(context, units, notes, { signal });
  const { start, parts, fileSize } = layOutModelFile(opened.model, jobs, opened.index);
  const { upload, isFirst } = await openUpload(context, output, start, fileSize, { signal });
  try {
    const read = pieceReader(context);
    const pieces = parts.flatMap(piecesOf);
    let position = start.length;
    let first = 0;
    // What an earlier upload has left is not read again.
    for (; first < pieces.length && position + pieces[first]!.size <= upload.offset; first++)
      position += pieces[first]!.size;
    if (upload.offset < start.length) await upload.write(start.subarray(upload.offset));
    for await (const bytes of eachInOrder(pieces.slice(first), read, { most: READ_AHEAD, signal })) {
      await upload.write(bytes.subarray(Math.max(0, upload.offset - position)));
      position += bytes.length;
      onProgress?.(position, fileSize);
    }
    signal?.throwIfAborted();
    await upload.complete();
  } catch (error) {
    // A later run goes on where this one was interrupted. What cannot succeed leaves nothing.
    const canGoOn = signal?.aborted || error instanceof SinkError || error instanceof SourceError;
    await (canGoOn ? upload.pause() : upload.abort()).catch(() => {});
    if (!canGoOn) await removeUploadNote(storage, opened.id, {}).catch(() => {});
    throw error;
  }
  await writeBeside(context, output, { signal });
  const stored = await storage.head(output, { signal });
  if (stored !== undefined) await writeDoneNote(storage, opened.id, stored, { signal });
  // One that was killed before it could note its upload may have left it. A service may not let us look: `bulk clean` says so.
  if (!isFirst) await storage.abortUploads?.(output, { signal }).catch(() => signal?.throwIfAborted());
  await removeUploadNote(storage, opened.id, { signal });
  return { fileSize, isNew: true, encodedUnits };
}

async function jobsOf(
  context: UnitContext,
  units: readonly Unit[],
  known: ReadonlyMap<number, UnitNote>,
  { signal }: AbortOptions,
): Promise<{ readonly jobs: readonly JoinJob[]; readonly encodedUnits: number }> {
  const notes = new Map(known);
  const lookUp = async (unit: Unit, own: AbortSignal) => {
    const note = notes.get(unit.number) ?? (await findNotedUnit(context, unit, { signal: own }));
    if (note !== undefined) notes.set(unit.number, note);
  };
  await eachBounded(units, MAX_READS, lookUp, signal);
  const jobs: JoinJob[] = [];
  let encodedUnits = 0;
  for (const unit of units) {
    let note = notes.get(unit.number);
    if (note === undefined) {
      // Removed since it was encoded, or of sources that do not say when they change.
      const result = await encodeUnit(context, unit, { signal });
      note = result.note;
      if (result.isNew) encodedUnits++;
    }
    for (const [i, tensor] of unit.tensors.entries()) {
      const { hash, staged, divided } = note.tensors[i]!;
      jobs.push({ tensor, staged: divided ?? staged, hash, weight: context.choices.weightOf(tensor) });
    }
  }
  return { jobs, encodedUnits };
}

/** A new upload, or the one that an earlier run has left of the same file. */
async function openUpload(
  { opened: { id }, storage, tools }: UnitContext,
  output: string,
  start: Uint8Array,
  size: number,
  { signal }: AbortOptions,
): Promise<{
  readonly upload: BulkUpload;
  /** Whether no earlier run has begun one. */
  readonly isFirst: boolean;
}> {
  const header = formatHash(tools.kernels.xxh3(start));
  const note = await readUploadNote(storage, id, { signal });
  const isFirst = note === undefined;
  // Before it begins: a process that is killed meanwhile leaves none that nothing knows of.
  if (isFirst) await writeUploadNote(storage, id, { output, header }, { signal });
  const resume = note?.header === header ? note.state : undefined;
  const upload = await storage.upload(output, { size, resume, signal });
  if (upload.state !== undefined && upload.state !== note?.state) {
    try {
      await writeUploadNote(storage, id, { output, state: upload.state, header }, { signal });
    } catch (error) {
      // No later run would know of it.
      await upload.abort().catch(() => {});
      throw error;
    }
  }
  return { upload, isFirst };
}
