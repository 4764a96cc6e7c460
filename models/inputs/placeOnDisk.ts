import { nodeModule } from '../../platform/nodeModule.js';
import { systemReason } from '../../platform/systemError.js';
import { fileSource } from '../../sources/file.js';
import { FormatError, SourceError } from '../../src/errors.js';
import { MANIFEST_NAME } from '../directory/manifest.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import { isShardIndexName, SHARD_INDEX_NAME } from './shardIndexName.js';

/** Where the files of a model are. */
export interface ModelPlace {
  /** A folder on disk or on a server, for messages. */
  readonly folder: string;
  /** The file that begins the model, or its shards; none: whatever the folder has, if its files cannot be listed. */
  readonly names: readonly string[];
  readonly open: OpenModelFile;
}

const MODEL_NAME = 'model.safetensors';

/** `model-00002-of-00005.safetensors`: what all shards of a model have in common, its number, how many there are. */
const SHARD_NAME = /^(.*?)(\d+)-of-(\d+)(.*\.safetensors)$/;

/**
 * The place of a model on disk (Node, Deno, Bun).
 * @param path of a file or a folder; or of a folder and a pattern of file names, in which `*` is any text and `?` any
 *   character
 * @throws SourceError when there is no model, or more than one; FormatError when some of the shards are missing
 */
export async function placeOnDisk(path: string): Promise<ModelPlace> {
  const [{ readdir, stat }, { basename, dirname, join }] = [
    nodeModule('node:fs/promises')!,
    nodeModule('node:path')!,
  ];
  const found = await stat(path).catch(() => undefined);
  const isFolder = found?.isDirectory() === true;
  const [folder, name] = isFolder ? [path, ''] : [dirname(path), basename(path)];
  const open: OpenModelFile = (file) => fileSource(join(folder, file));
  if (!isFolder && (found !== undefined || !/[*?]/.test(name))) return { folder, names: [name], open };
  const all = await readdir(folder).catch((cause) => {
    throw new SourceError(`Cannot list the files of the folder${systemReason(cause)}`, {
      name: folder,
      cause,
    });
  });
  return { folder, names: pickFiles(all, folder, name), open };
}

/**
 * The files of a model in a folder whose files are known: the one file that begins it (a manifest, an index, a whole
 * model), or its shards.
 * @param pattern empty for the whole folder
 */
function pickFiles(all: readonly string[], folder: string, pattern: string): readonly string[] {
  const chosen = pattern !== '';
  const files = chosen ? all.filter((file) => patternOf(pattern).test(file)) : all;
  const list = [MANIFEST_NAME, SHARD_INDEX_NAME].find((file) => files.includes(file));
  if (list !== undefined) return [list];
  const indexes = files.filter(isShardIndexName);
  if (indexes.length > 1) throw severalModels(folder, indexes);
  const one = indexes[0] ?? files.find((file) => file === MODEL_NAME && !chosen);
  if (one !== undefined) return [one];
  const tensors = chosen ? files : files.filter((file) => file.endsWith('.safetensors'));
  const [first, ...rest] = tensors.toSorted();
  if (first === undefined) {
    const expected = chosen ? pattern : `${MANIFEST_NAME}, ${SHARD_INDEX_NAME} or a .safetensors file`;
    throw new SourceError('Cannot find a model: the folder has no file for it', { name: folder, expected });
  }
  if (rest.length > 0) checkShards(folder, [first, ...rest], chosen);
  return [first, ...rest];
}

function patternOf(name: string): RegExp {
  const source = name.replace(/[^*?]/gs, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
  return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');
}

/** A pattern may choose any files. Without one, they must be those of one model; where they are numbered, all of them. */
function checkShards(folder: string, files: readonly string[], chosen: boolean): void {
  const [first, ...rest] = files.map((file) => SHARD_NAME.exec(file));
  const numbered =
    first != null &&
    rest.every((part) => part != null && [1, 3, 4].every((place) => part[place] === first[place]));
  if (!numbered && !chosen) throw severalModels(folder, files);
  if (!numbered || files.length === Number(first[3])) return;
  throw new FormatError('Cannot open the shards: some of them are missing', {
    name: folder,
    expected: `${Number(first[3])} files`,
    actual: files.length,
  });
}

function severalModels(name: string, files: readonly string[]): SourceError {
  return new SourceError('Cannot tell which model of the folder is meant: name one of these files', {
    name,
    actual: files,
  });
}
