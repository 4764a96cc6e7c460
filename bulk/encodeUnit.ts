import { cutBy, encodeTensor } from '../models/file/encodeTensor.js';
import { formatHash } from '../models/file/plan.js';
import type { LocatedTensor } from '../models/file/sourceFiles.js';
import { CUTS_VERSION } from '../models/file/stageTensors.js';
import { stageTensor } from '../models/file/stagingStore.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { FormatError } from '../src/errors.js';
import { encodeDivided } from './divided/encodeDivided.js';
import { findNotedUnit } from './findNotedUnit.js';
import { type NotedTensor, type UnitNote, writeNote } from './notes.js';
import { sha256 } from './sha256.js';
import type { UnitContext, UnitResult } from './unitContext.js';
import { readUnit, UnitBuilder, unitObject } from './unitFile.js';
import type { Unit } from './units.js';

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
  if (unit.ranges !== undefined) return encodeDivided(context, unit, unit.ranges, { signal });
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
  const how = isCut ? cutBy(tensor, options.encode ?? {}) : 'plain';
  return { isCut, hash, fingerprint: JSON.stringify([CUTS_VERSION, dtype, shape, hash, how]) };
}

/** By a hash whose collisions nobody can construct: models of different owners may share a storage. */
function unitKey(tensors: readonly ReadTensor[], fingerprints: readonly string[]): string {
  return sha256(
    JSON.stringify(fingerprints),
    tensors.map(({ bytes }) => bytes),
  );
}
