import type { Place } from '../../sources/place.js';
import { readStart } from '../../sources/read.js';
import { isSafetensorsStart } from '../../src/bytes/fileStart.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { SourceError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { MANIFEST_NAME, type ModelManifest } from '../directory/manifest.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import type { ModelPlace } from './placeOnDisk.js';
import type { ShardIndex } from './shardIndex.js';
import { isShardIndexName, SHARD_INDEX_NAME } from './shardIndexName.js';
import { openingStarted, type StartedFile, startFile } from './startedFile.js';

/** What a model consists of: one file, shards, or the files of a directory. */
export type FoundModel =
  | { readonly kind: 'file'; readonly file: StartedFile }
  | { readonly kind: 'shards'; readonly files: readonly string[]; readonly index: ShardIndex | undefined }
  | { readonly kind: 'directory'; readonly manifest: ModelManifest };

/**
 * What a folder whose files cannot be listed is asked for, in this order. The last is what `holostream encode model.onnx
 * -o folder/` writes; where it is beside the plain file, that one is meant.
 */
const CANDIDATES = [MANIFEST_NAME, SHARD_INDEX_NAME, 'model.safetensors', 'model.holo.safetensors'];

/** The place of a model that a text names. On disk, it may also be a folder or a pattern of file names. */
export async function modelPlace({ name, folder, path, open, openBeside }: Place): Promise<ModelPlace> {
  if (path !== undefined) {
    const { placeOnDisk } = await import('./placeOnDisk.js');
    return placeOnDisk(path);
  }
  const names = name === '' ? [] : [name];
  // A URL may have a query, which is that of the named file only.
  return { folder, names, open: (file) => (file === name ? open() : openBeside(file)) };
}

/**
 * Finds out what a model consists of: by the name of a file, and by what its first bytes are. A file that it returns is
 * open.
 * @throws SourceError when nothing is found; FormatError, LimitError for a bad manifest or index
 */
export async function findModel(
  { folder, names, open }: ModelPlace,
  options: OpenOptions,
): Promise<FoundModel> {
  if (names.length > 1) return { kind: 'shards', files: names, index: undefined };
  if (names.length === 1) return findFile(open, names[0]!, options);
  let first: SourceError | undefined;
  for (const name of CANDIDATES) {
    try {
      return await findFile(open, name, options);
    } catch (error) {
      if (!isMissing(error)) throw error;
      first ??= error;
    }
  }
  throw new SourceError('Cannot find a model in the folder', {
    name: folder,
    expected: `one of ${CANDIDATES.join(', ')}`,
    status: first?.status,
    cause: first,
  });
}

/** Storage services answer 403 for missing files to clients that may not list them. */
function isMissing(error: unknown): error is SourceError {
  if (!(error instanceof SourceError)) return false;
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  return code === 'ENOENT' || [403, 404, 410].includes(error.status ?? 0);
}

async function findFile(open: OpenModelFile, name: string, options: OpenOptions): Promise<FoundModel> {
  const source = await open(name);
  let found: FoundModel | undefined;
  try {
    found = await examine(source, name, options);
    return found;
  } finally {
    if (found?.kind !== 'file') await source.close?.();
  }
}

async function examine(source: RandomAccessSource, name: string, options: OpenOptions): Promise<FoundModel> {
  if (name === MANIFEST_NAME) return directoryOf(source, options);
  if (isShardIndexName(name)) return shardsOf(source, name, options);
  const file = await startFile(source, options);
  return openingStarted(file, async () => {
    if (isSafetensorsStart(file.start)) return { kind: 'file', file: { ...file, name } };
    const { fileKind } = await import('../../src/bytes/kindOnDemand.js');
    const kind = fileKind(file.start);
    if (kind === 'manifest') return directoryOf(file.source, options);
    // An index may begin with metadata of any length.
    const isIndex = kind === 'shards' || (kind === 'json' && name.endsWith('.json'));
    return isIndex ? shardsOf(file.source, name, options) : { kind: 'file', file: { ...file, name } };
  });
}

/** Most models are files, which need nothing of directories. */
async function directoryOf(source: RandomAccessSource, options: OpenOptions): Promise<FoundModel> {
  const { readManifest } = await import('./directory.js').catch(async (error) => {
    // A server may have no manifest: then there is another model, and holostream/lean can read it.
    await readStart(source, 1, options);
    throw error;
  });
  return { kind: 'directory', manifest: await readManifest(source, options) };
}

async function shardsOf(source: RandomAccessSource, name: string, options: OpenOptions): Promise<FoundModel> {
  const { readShardIndex } = await import('./shards.js');
  const index = await readShardIndex(source, name, options);
  return { kind: 'shards', files: index.files, index };
}
