import { findStagedTensor, type StagedTensor, type StagingStore } from '../models/file/stagingStore.js';
import { type ReadRange, randomAccessSource } from '../sources/randomAccess.js';
import { asBytes, concatenate } from '../src/bytes/binary.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { FormatError } from '../src/errors.js';
import type { Kernels } from '../src/kernels/kernels.js';
import type { SeekableSink } from '../src/source.js';
import { OWN_PREFIX } from './storage/key.js';
import type { BulkStorage } from './storage/storage.js';

/**
 * The object of a unit: the entries of a staging store of its cut tensors, one behind the other. Nothing else is in it, so the
 * same tensors with the same options are the same object, whatever model they are from.
 */

export const UNITS_PREFIX = `${OWN_PREFIX}units/`;

/** @param key of the unit: 64 hexadecimal digits */
export function unitObject(key: string): string {
  return `${UNITS_PREFIX}${key.slice(0, 2)}/${key}`;
}

/** An entry of a unit in a storage: its unit, where it begins, and its length. */
const ENTRY = /^([0-9a-f]{64}) (\d+) (\d+)$/;

/** The name of an entry for {@link storedUnits}. */
function entryName(key: string, at: number, length: number): string {
  return `${key} ${at} ${length}`;
}

/** The key of the unit that an entry is in. */
export function unitOf(entry: string): string {
  const [, key] = ENTRY.exec(entry) ?? [];
  if (key === undefined) throw new FormatError('Cannot use the unit: invalid entry', { name: entry });
  return key;
}

/** Units in a storage, as a staging store whose entries are ranges of objects. */
export function storedUnits(storage: BulkStorage): StagingStore {
  return {
    async open(name) {
      const key = unitOf(name);
      const [, , at, length] = ENTRY.exec(name)!;
      const read: ReadRange = (offset, count, options) =>
        storage.read(unitObject(key), Number(at) + offset, count, options);
      return randomAccessSource(Number(length), read, name);
    },
    async create(name) {
      throw new FormatError('Cannot write to the entry of a unit: units are written whole', { name });
    },
  };
}

/** Collects the entries of a unit before it is written. */
export class UnitBuilder {
  readonly #tensors: StagedTensor[] = [];
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  /** Adds a tensor by what writes it as an entry of a staging store: in order, and what is written stays as it is. */
  async add(stage: (staging: StagingStore, entry: string) => Promise<StagedTensor>): Promise<void> {
    const stop = async () => {};
    const sink: SeekableSink = {
      write: async (bytes) => {
        this.#pieces.push(asBytes(bytes));
      },
      close: stop,
      abort: stop,
    };
    const start = this.#pieces.length;
    const staged = await stage({ open: async () => undefined, create: async () => sink }, '');
    const length = this.#pieces.slice(start).reduce((sum, piece) => sum + piece.length, 0);
    this.#tensors.push({ ...staged, entry: `${this.#size} ${length}` });
    this.#size += length;
  }

  /** The bytes of the object, and the tensors as they are in it. */
  finish(key: string): { readonly bytes: Uint8Array; readonly tensors: readonly StagedTensor[] } {
    const tensors = this.#tensors.map((staged) => ({ ...staged, entry: `${key} ${staged.entry}` }));
    return { bytes: concatenate(this.#pieces), tensors };
  }
}

/**
 * The tensors of a unit that another run, or another model, has encoded.
 * @param fingerprints of its cut tensors, in order
 * @returns undefined when the object does not exist, or is not of these tensors
 * @throws ChecksumError, FormatError, TruncatedError when it is damaged
 */
export async function readUnit(
  storage: BulkStorage,
  key: string,
  fingerprints: readonly string[],
  kernels: Pick<Kernels, 'xxh3'>,
  options: AbortOptions,
): Promise<readonly StagedTensor[] | undefined> {
  const object = await storage.head(unitObject(key), options);
  if (object === undefined) return undefined;
  const units = storedUnits(storage);
  const tensors: StagedTensor[] = [];
  let at = 0;
  for (const fingerprint of fingerprints) {
    const rest = entryName(key, at, object.size - at);
    const found = await findStagedTensor(units, rest, fingerprint, kernels, options);
    if (found === undefined) return undefined;
    const length = found.starts.at(-1)! + found.sizes.at(-1)!;
    tensors.push({ ...found, entry: entryName(key, at, length) });
    at += length;
  }
  return at === object.size ? tensors : undefined;
}
