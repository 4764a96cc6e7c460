import { basename } from 'node:path';
import { modelFolder } from '../../models/directory/modelFolder.js';
import { ModelReader, type OpenModelFile } from '../../models/directory/modelReader.js';
import { readPlainHeader } from '../../models/file/plainHeader.js';
import type { ModelSourceFile } from '../../models/file/sourceFiles.js';
import { findModel, modelPlace } from '../../models/inputs/findModel.js';
import { foreignFormat, openForeignModel } from '../../models/inputs/foreign.js';
import type { ForeignModel, ForeignModelOptions } from '../../models/inputs/foreignModel.js';
import { type FileFormat, recogniseFormat } from '../../models/inputs/formats.js';
import type { ModelPlace } from '../../models/inputs/placeOnDisk.js';
import type { Shards } from '../../models/inputs/shards.js';
import { type StartedFile, startFile } from '../../models/inputs/startedFile.js';
import { argumentPlace } from '../../sources/hub.js';
import { readStart } from '../../sources/read.js';
import { describeKind, fileKind, shownStart } from '../../src/bytes/fileKind.js';
import { PROBE_SIZE, unknownStart } from '../../src/bytes/fileStart.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { inPlace } from '../../src/errors/placed.js';
import { FormatError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { UsageError } from '../failure.js';
import { bufferedInput, placeOfArgument, STANDARD, STANDARD_INPUT, standardInput } from '../files.js';
import { withNeighbour } from '../suggest.js';

/** What arguments name, opened; disposing of it closes it. */
export type ModelInput = AsyncDisposable & (FileInput | ShardsInput | DirectoryInput);

interface FileInput {
  readonly kind: 'file';
  readonly name: string;
  /** The last part of it, or the file that was found in a folder. */
  readonly fileName: string;
  readonly source: RandomAccessSource;
  /** Its first bytes. */
  readonly start: Uint8Array;
  /** Undefined for other formats. */
  readonly format: FileFormat | undefined;
  /** Opens another file of its folder; undefined for standard input. */
  readonly openBeside: OpenModelFile | undefined;
}

interface ShardsInput extends Pick<Shards, 'index'> {
  readonly kind: 'shards';
  readonly files: readonly ModelSourceFile[];
}

interface DirectoryInput {
  readonly kind: 'directory';
  readonly reader: ModelReader;
}

/**
 * The models that arguments name: several safetensors files are the shards of one, as shells expand a pattern;
 * any other file is a model of its own. So are model files, also beside the plain ones that they were made of.
 */
export function modelsOf(names: readonly string[]): readonly (readonly string[])[] {
  const areShards = names.every((name) => /(?<!\.holo)\.safetensors$/.test(name));
  return areShards ? [names] : names.map((name) => [name]);
}

/**
 * Opens what arguments name: a file, a shard index, a folder, or a pattern of shards; by its path or its URL. Several of
 * them are the shards of one model, as shells make them of a pattern.
 */
export async function openModelInput(
  names: readonly string[],
  options: OpenOptions,
  standard = standardInput(),
): Promise<ModelInput> {
  if (names.length > 1) {
    const open = (name: string) => withNeighbour(name, async () => placeOfArgument(name).open());
    return openShards({ files: names.toSorted(), index: undefined }, open);
  }
  const name = names[0]!;
  if (name === STANDARD) {
    const source = await bufferedInput(standard, options);
    return fileInput(name, await startFile(source, options), undefined);
  }
  const place = await modelPlace(placeOfArgument(name));
  const found = await withNeighbour(name, () => findModel(place, options));
  switch (found.kind) {
    case 'file':
      return fileInput(name, found.file, place.open);
    case 'shards':
      return openShards(found, place.open);
    case 'directory':
      return {
        kind: 'directory',
        reader: new ModelReader(found.manifest, openInFolder(name, place), options),
        [Symbol.asyncDispose]: async () => {},
      };
  }
}

/** On disk, files of a model directory are no links out of it. */
function openInFolder(name: string, { folder, open }: ModelPlace): OpenModelFile {
  return argumentPlace(name).path === undefined ? open : modelFolder(folder);
}

function fileInput(
  name: string,
  { source, start, name: fileName = basename(name) }: StartedFile,
  openBeside: OpenModelFile | undefined,
): ModelInput {
  const format = recogniseFormat(start);
  return {
    ...{ kind: 'file', name, fileName, source, start, format, openBeside },
    [Symbol.asyncDispose]: async () => source.close?.(),
  };
}

async function openShards({ files: names, index }: Shards, open: OpenModelFile): Promise<ModelInput> {
  const files: ModelSourceFile[] = [];
  const close = async () => {
    for (const { source } of files) await source.close?.();
  };
  try {
    for (const name of names) files.push({ name: basename(name), source: await open(name) });
    return { kind: 'shards', files, index, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The format of a file that the command reads.
 * @throws FormatError when it is none, or what is left of a model file
 */
export async function formatOf(input: FileInput, options: OpenOptions): Promise<FileFormat> {
  const { fileName, source, start, format } = input;
  if (format === undefined) {
    const kind = fileKind(start);
    const also = kind === undefined ? '' : `, but ${describeKind(kind)}`;
    const isTaken = foreignFormat(start, fileName) !== undefined || kind === 'NumPy';
    const instead = isTaken ? '; "holostream encode" takes it' : '';
    throw new FormatError(
      `Cannot use the file: it is neither HCT, HoloTensor nor safetensors${also}${instead}`,
      {
        file: nameInMessages(input),
        actual: kind === undefined ? unknownStart(start) : shownStart(kind, start),
      },
    );
  }
  if (format === 'safetensors') await readPlainHeader(source, options);
  return format;
}

function nameInMessages({ name }: FileInput): string {
  return name === STANDARD ? STANDARD_INPUT : name;
}

/** The files of a model, which commands encode. */
export interface ModelFiles extends AsyncDisposable, Pick<Shards, 'index'>, Omit<ForeignModel, 'close'> {}

type FilesOptions = OpenOptions & Pick<ForeignModelOptions, 'weightsName'>;

export async function openModelFiles(names: readonly string[], options: FilesOptions): Promise<ModelFiles> {
  return filesOf(await openModelInput(names, options), options);
}

/** @throws UsageError for a model directory and a NumPy file */
export async function filesOf(input: ModelInput, options: FilesOptions): Promise<ModelFiles> {
  const dispose = async () => input[Symbol.asyncDispose]();
  if (input.kind === 'shards') return shardsOf(input, dispose, options);
  if (input.kind === 'directory') {
    await dispose();
    throw new UsageError('A model directory is encoded already: decode it first');
  }
  const { source, start, openBeside } = input;
  if (fileKind(start) === 'NumPy') {
    await dispose();
    throw new UsageError(
      'A NumPy file has one array: end the output of "holostream encode" with .hct or .holo',
    );
  }
  // Decoding makes a file of this name. Of standard input, it is one of the format.
  const name = input.name === STANDARD ? undefined : input.fileName;
  if (foreignFormat(start, name) === undefined) {
    const files = [{ name: name ?? 'model.safetensors', source }];
    return { files, beside: [], index: undefined, [Symbol.asyncDispose]: dispose };
  }
  try {
    const { files, beside, close } = await openForeignModel(source, { ...options, name, openBeside });
    const closeAll = () => close().finally(dispose);
    return { files, beside, index: undefined, [Symbol.asyncDispose]: closeAll };
  } catch (error) {
    await dispose();
    throw inPlace(error, { file: nameInMessages(input) });
  }
}

/** The index names files of safetensors; of shards of another format, which can become such files, none is kept. */
async function shardsOf(
  { files: shards, index }: ShardsInput,
  dispose: () => Promise<void>,
  options: OpenOptions,
): Promise<ModelFiles> {
  const opened: ForeignModel[] = [];
  const closeAll = async () => {
    for (const { close } of opened) await close();
    await dispose();
  };
  try {
    const files: ModelSourceFile[] = [];
    for (const { name, source } of shards) {
      if (foreignFormat(await readStart(source, PROBE_SIZE, options), name) === undefined) {
        files.push({ name, source });
        continue;
      }
      const model = await openForeignModel(source, { ...options, name });
      opened.push(model);
      for (const file of model.files) files.push(file);
    }
    return {
      files,
      beside: opened.flatMap(({ beside }) => beside),
      index: opened.length > 0 ? undefined : index,
      [Symbol.asyncDispose]: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Bytes of all files, as far as their sizes are known before they are read. */
export function totalSize({ files }: Pick<ModelFiles, 'files'>): number {
  return files.reduce((sum, { source }) => sum + (source.size ?? 0), 0);
}
