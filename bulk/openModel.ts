import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OpenModelFile } from '../models/directory/modelReader.js';
import { CUTS_VERSION } from '../models/file/encodeModelFile.js';
import { type ModelSource, type ModelSourceFile, readModelSource } from '../models/file/sourceFiles.js';
import { findModel, modelPlace } from '../models/inputs/findModel.js';
import type { ModelPlace } from '../models/inputs/placeOnDisk.js';
import { argumentPlace } from '../sources/hub.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { ArgumentError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import type { BulkEncodeOptions, BulkModel } from './models.js';
import { openBulkStorage, S3_URL } from './storage/openStorage.js';
import { objectSource } from './storage/storage.js';

/** A model whose headers have been read. */
export interface OpenedModel extends AsyncDisposable {
  readonly model: ModelSource;
  /** The text of the shard index, if it has one. */
  readonly index: string | undefined;
  /** Of the files, the options and the output: what a run has noted under it belongs to these. 64 hexadecimal digits. */
  readonly id: string;
  /** Whether all files say when they change. What is noted of others is not trusted by a later run. */
  readonly isVersioned: boolean;
}

/** Raised when notes of earlier versions cannot be read. */
const NOTES_VERSION = 1;

/** @throws SourceError, FormatError; ArgumentError for a model directory, which is encoded already */
export async function openBulkModel(
  { sources, output }: BulkModel,
  choices: BulkEncodeOptions,
  options: AbortOptions,
): Promise<OpenedModel> {
  const { files, index } = await openFiles(sources, options);
  try {
    const model = await readModelSource(files, options);
    const versions = await Promise.all(files.map(({ version }) => version()));
    const { encode, order, keep, importance } = choices;
    const headers = model.files.map(({ name, header }) => [name, sha256(header)]);
    const facts = [
      NOTES_VERSION,
      CUTS_VERSION,
      headers,
      versions,
      index,
      encode,
      order,
      keep,
      importance,
      output,
    ];
    return {
      model,
      index,
      id: sha256(JSON.stringify(facts)),
      isVersioned: versions.every((version) => version !== undefined),
      [Symbol.asyncDispose]: () => close(files),
    };
  } catch (error) {
    await close(files);
    throw error;
  }
}

interface OpenedFile extends ModelSourceFile {
  /** Changes when the bytes do; undefined where that cannot be known. */
  version(): Promise<string | undefined>;
}

async function openFiles(
  sources: readonly string[],
  options: AbortOptions,
): Promise<{ readonly files: readonly OpenedFile[]; readonly index: string | undefined }> {
  const [first, ...rest] = sources;
  if (first === undefined) throw new ArgumentError('Cannot encode the model: it has no files');
  if (rest.length > 0) {
    // As shells make them of a pattern.
    const places = await Promise.all(sources.toSorted().map(placeOfModel));
    return { files: await openAll(places.map((place) => [place, place.names[0] ?? ''])), index: undefined };
  }
  const place = await placeOfModel(first);
  const found = await findModel(place, options);
  if (found.kind === 'directory') {
    throw new ArgumentError('Cannot encode the model: it is a model directory, which is encoded already', {
      name: first,
    });
  }
  if (found.kind === 'file') {
    const { source, name = basename(first) } = found.file;
    return { files: [openedFile(place, name, source)], index: undefined };
  }
  return { files: await openAll(found.files.map((name) => [place, name])), index: found.index?.text };
}

async function openAll(places: readonly (readonly [ModelPlace, string])[]): Promise<OpenedFile[]> {
  const files: OpenedFile[] = [];
  try {
    for (const [place, name] of places) files.push(openedFile(place, name, await place.open(name)));
    return files;
  } catch (error) {
    await close(files);
    throw error;
  }
}

function openedFile({ folder }: ModelPlace, name: string, source: RandomAccessSource): OpenedFile {
  return {
    name,
    source,
    async version() {
      const version = await source.version?.();
      if (version !== undefined) return version;
      const found = await stat(join(folder, name), { bigint: true }).catch(() => undefined);
      return found && `${found.size} ${found.mtimeNs}`;
    },
  };
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

async function close(files: readonly ModelSourceFile[]): Promise<void> {
  for (const { source } of files) await source.close?.();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
