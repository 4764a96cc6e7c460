import { createHash } from 'node:crypto';
import { CUTS_VERSION } from '../models/file/encodeModelFile.js';
import { type EncodeTools, encodeTensor, resolvedOptions } from '../models/file/encodeTensor.js';
import { formatHash } from '../models/file/plan.js';
import type { LocatedTensor } from '../models/file/sourceFiles.js';
import { stageTensor } from '../models/file/stagingStore.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { FormatError } from '../src/errors.js';
import type { BulkEncodeOptions, TensorChoices } from './models.js';
import { type NotedTensor, readNote, type UnitNote, writeNote } from './notes.js';
import type { OpenedModel } from './openModel.js';
import type { BulkStorage } from './storage/storage.js';
import { readUnit, UnitBuilder, unitObject } from './unitFile.js';
import type { Unit } from './units.js';

/** What has become of a unit. */
export interface UnitResult {
  readonly note: UnitNote;
  /** False when an earlier run, or another model, has encoded it. */
  readonly isNew: boolean;
}

/** Everything that units of a model are encoded with. */
export interface UnitContext {
  readonly opened: OpenedModel;
  readonly choices: TensorChoices;
  readonly options: BulkEncodeOptions;
  readonly storage: BulkStorage;
  readonly tools: EncodeTools;
}

/**
 * Encodes a unit, unless the storage has it. It may be done any number of times, in any number of places: the object is the
 * same each time.
 * @throws ArgumentError for what the encoding cannot carry; SourceError, SinkError, WorkerError
 */
export async function encodeUnit(
  context: UnitContext,
  unit: Unit,
  { signal }: AbortOptions,
): Promise<UnitResult> {
  const { opened, storage, tools } = context;
  const noted = await findNotedUnit(context, unit, { signal });
  if (noted !== undefined) return { note: noted, isNew: false };
  const tensors = await readTensors(unit, { signal });
  const facts = tensors.map((tensor) => factsOf(tensor, context));
  const fingerprints = facts.filter(({ isCut }) => isCut).map(({ fingerprint }) => fingerprint);
  const key = unitKey(tensors, fingerprints.length === 0 ? [] : facts.map(({ fingerprint }) => fingerprint));
  // A unit without cut tensors has no object.
  let isDamaged = false;
  const found =
    fingerprints.length === 0
      ? []
      : await readUnit(storage, key, fingerprints, tools.kernels, { signal }).catch((error: unknown) => {
          if (!(error instanceof FormatError)) throw error;
          isDamaged = true;
          return undefined;
        });
  let cut = found;
  if (cut === undefined) {
    const builder = new UnitBuilder();
    for (const [i, { tensor, bytes }] of tensors.entries()) {
      const { isCut, fingerprint } = facts[i]!;
      if (!isCut) continue;
      const { cosines, pieces } = await encodeTensor(tensor, bytes, context.options.encode ?? {}, tools, {
        signal,
      });
      await builder.add((staging, entry) =>
        stageTensor(staging, entry, { fingerprint, cosines }, pieces, tools.kernels, { signal }),
      );
    }
    const { bytes, tensors: staged } = builder.finish(key);
    await (isDamaged
      ? storage.put(unitObject(key), bytes, { signal })
      : storage.create(unitObject(key), bytes, { signal }));
    cut = staged;
  }
  const rest = cut[Symbol.iterator]();
  const note: UnitNote = {
    key: fingerprints.length === 0 ? undefined : key,
    tensors: facts.map(({ isCut, hash }): NotedTensor => {
      const staged = isCut ? rest.next().value : undefined;
      return staged === undefined ? { hash } : { hash: staged.hashes[0]!, staged };
    }),
  };
  await writeNote(storage, opened.id, unit, note, { signal });
  return { note, isNew: found === undefined };
}

/** The note of a unit whose object exists. */
export async function findNotedUnit(
  { opened, storage }: UnitContext,
  unit: Unit,
  { signal }: AbortOptions,
): Promise<UnitNote | undefined> {
  if (!opened.isVersioned) return undefined;
  const note = await readNote(storage, opened.id, unit, { signal });
  if (note === undefined || note.key === undefined) return note;
  const object = await storage.head(unitObject(note.key), { signal });
  return object === undefined ? undefined : note;
}

interface ReadTensor {
  readonly tensor: LocatedTensor;
  readonly bytes: Uint8Array;
}

/** Tensors of a unit follow each other in their file, so most units are one request. */
async function readTensors({ tensors }: Unit, options: AbortOptions): Promise<ReadTensor[]> {
  const [first] = tensors;
  const last = tensors.at(-1);
  if (first === undefined || last === undefined) return [];
  const start = first.offset;
  const bytes = await first.source.read(start, last.offset + last.byteLength - start, options);
  return tensors.map((tensor) => {
    const at = tensor.offset - start;
    return { tensor, bytes: bytes.subarray(at, at + tensor.byteLength) };
  });
}

function factsOf({ tensor, bytes }: ReadTensor, { choices, options, tools }: UnitContext) {
  const { dtype, shape } = tensor;
  const isCut = choices.isCut(tensor);
  const hash = formatHash(tools.kernels.xxh3(bytes));
  const how = isCut ? resolvedOptions(options.encode ?? {}, bytes.length) : 'plain';
  return { isCut, hash, fingerprint: JSON.stringify([CUTS_VERSION, dtype, shape, hash, how]) };
}

/** By a hash whose collisions nobody can construct: models of different owners may share a storage. */
function unitKey(tensors: readonly ReadTensor[], fingerprints: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(fingerprints));
  for (const { bytes } of tensors) hash.update(bytes);
  return hash.digest('hex');
}
