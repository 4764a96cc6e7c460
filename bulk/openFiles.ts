import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OpenModelFile } from '../models/directory/modelReader.js';
import type { ModelSourceFile } from '../models/file/sourceFiles.js';
import { findModel, modelPlace } from '../models/inputs/findModel.js';
import { foreignFormat, openForeignModel } from '../models/inputs/foreign.js';
import type { ModelPlace } from '../models/inputs/placeOnDisk.js';
import { type StartedFile, startFile } from '../models/inputs/startedFile.js';
import { argumentPlace } from '../sources/hub.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { withPlace } from '../src/errors/placed.js';
import { ArgumentError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { openBulkStorage, S3_URL } from './storage/openStorage.js';
import { objectSource } from './storage/storage.js';

/** The files that the sources of a model name. */
export interface OpenedFiles {
  readonly files: readonly ModelSourceFile[];
  /** What is not weights, see `ForeignModel`. */
  readonly beside: readonly ModelSourceFile[];
  /** The text of the shard index, if the model has one. */
  readonly index: string | undefined;
  /** Of each file that is read: changes when its bytes do; undefined where that cannot be known. */
  versions(): Promise<readonly (string | undefined)[]>;
  close(): Promise<void>;
}

/** @throws SourceError, FormatError; ArgumentError for a model directory, which is encoded already */
export async function openFiles(sources: readonly string[], options: AbortOptions): Promise<OpenedFiles> {
  const [first, ...rest] = sources;
  if (first === undefined) throw new ArgumentError('Cannot encode the model: it has no files');
  if (rest.length > 0) {
    // As shells make them of a pattern.
    const places = await Promise.all(sources.toSorted().map(placeOfModel));
    return openShards(
      places.map((place) => [place, place.names[0] ?? '']),
      undefined,
      options,
    );
  }
  const place = await placeOfModel(first);
  const found = await findModel(place, options);
  if (found.kind === 'directory') {
    throw new ArgumentError('Cannot encode the model: it is a model directory, which is encoded already', {
      name: first,
    });
  }
  if (found.kind === 'file') return openOne(place, first, found.file, options);
  return openShards(
    found.files.map((name) => [place, name]),
    found.index?.text,
    options,
  );
}

/** A safetensors file, or a model of another format. */
async function openOne(
  place: ModelPlace,
  argument: string,
  { source, start, name = basename(argument) }: StartedFile,
  options: AbortOptions,
): Promise<OpenedFiles> {
  const opened = new Opened();
  opened.add(place, name, source);
  if (foreignFormat(start, name) === undefined)
    return { ...opened.result(), files: [{ name, source }], beside: [], index: undefined };
  const openBeside: OpenModelFile = async (other) => opened.add(place, other, await place.open(other));
  try {
    const { files, beside } = await withPlace({ file: argument }, () =>
      openForeignModel(source, { ...options, name, openBeside }),
    );
    return { ...opened.result(), files, beside, index: undefined };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Shards. Their index names files of safetensors; of another format, which can become such files, none is kept. */
export async function openShards(
  places: readonly (readonly [ModelPlace, string])[],
  index: string | undefined,
  options: AbortOptions,
): Promise<OpenedFiles> {
  const opened = new Opened();
  const files: ModelSourceFile[] = [];
  let areForeign = false;
  try {
    for (const [place, name] of places) {
      const { source, start } = await opened.start(place, name, options);
      if (foreignFormat(start, name) === undefined) files.push({ name, source });
      else {
        areForeign = true;
        const model = await openForeignModel(source, { ...options, name });
        for (const file of model.files) files.push(file);
      }
    }
    return { ...opened.result(), files, beside: [], index: areForeign ? undefined : index };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

interface OpenedFile {
  readonly folder: string;
  readonly name: string;
  readonly source: RandomAccessSource;
}

/** Files that have been opened one after another. */
class Opened {
  readonly #files: OpenedFile[] = [];

  add({ folder }: ModelPlace, name: string, source: RandomAccessSource): RandomAccessSource {
    this.#files.push({ folder, name, source });
    return source;
  }

  /** Adds what ends the request of the start, too: an object of a bucket alone has nothing to close. */
  async start(place: ModelPlace, name: string, options: AbortOptions): Promise<StartedFile> {
    const given = await place.open(name);
    try {
      const file = await startFile(given, options);
      this.add(place, name, file.source);
      return file;
    } catch (error) {
      await given.close?.();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const { source } of this.#files) await source.close?.();
  }

  result(): Pick<OpenedFiles, 'versions' | 'close'> {
    return {
      versions: () => Promise.all(this.#files.map(versionOf)),
      close: () => this.close(),
    };
  }
}

async function versionOf({ folder, name, source }: OpenedFile): Promise<string | undefined> {
  const version = await source.version?.();
  if (version !== undefined) return version;
  const found = await stat(join(folder, name), { bigint: true }).catch(() => undefined);
  return found && `${found.size} ${found.mtimeNs}`;
}

async function placeOfModel(source: string): Promise<ModelPlace> {
  const [, bucket, key = ''] = S3_URL.exec(source) ?? [];
  if (bucket === undefined) return modelPlace(argumentPlace(source));
  const nameStart = key.lastIndexOf('/') + 1;
  const folder = `s3://${bucket}/${key.slice(0, nameStart)}`;
  const storage = await openBulkStorage(folder);
  const open: OpenModelFile = (file) => objectSource(storage, file, {});
  return { folder, names: key.length > nameStart ? [key.slice(nameStart)] : [], open };
}
