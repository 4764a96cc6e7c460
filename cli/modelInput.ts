import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ModelSourceFile } from '../models/file/sourceFiles.js';
import { FormatError, LimitError } from '../src/errors.js';
import { openInput } from './input.js';

/** The files of a model, opened; disposing of it closes them. */
export interface ModelInput extends AsyncDisposable {
  readonly files: readonly ModelSourceFile[];
  /** The text of the shard index, where the model comes in shards. */
  readonly index: string | undefined;
}

/** What the index of a model in shards is called. */
const INDEX_SUFFIX = '.safetensors.index.json';

/** A name of some hundred bytes for each of a million tensors. */
const MAX_INDEX_BYTES = 2 ** 28;

/** One safetensors file, or the shards that an index names. */
export async function openModelInput(path: string, signal: AbortSignal): Promise<ModelInput> {
  const index = path.endsWith(INDEX_SUFFIX) ? await readIndex(path) : undefined;
  const paths = index === undefined ? [path] : shardsOf(index, path);
  const files: ModelSourceFile[] = [];
  const close = async () => {
    for (const { source } of files) await source.close?.();
  };
  try {
    for (const file of paths) files.push({ name: basename(file), source: await openInput(file, signal) });
    return { files, index, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readIndex(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_INDEX_BYTES) {
    throw new LimitError('shard index', {
      name: path,
      expected: `at most ${MAX_INDEX_BYTES} bytes`,
      actual: size,
    });
  }
  return readFile(path, 'utf8');
}

/** The shards lie beside the index: a name that leads elsewhere is refused. */
function shardsOf(index: string, path: string): string[] {
  const names = new Set<string>();
  for (const name of Object.values(weightMap(index, path))) {
    if (typeof name !== 'string' || !/^[^/\\:]+$/.test(name) || name.startsWith('.')) {
      throw new FormatError('shard index: file', { name: path, expected: 'a plain name', actual: name });
    }
    names.add(name);
  }
  if (names.size === 0) throw new FormatError('shard index names no file', { name: path });
  return [...names].sort().map((name) => join(dirname(path), name));
}

function weightMap(index: string, path: string): object {
  let root: unknown;
  try {
    root = JSON.parse(index);
  } catch (cause) {
    throw new FormatError('shard index: not JSON', { name: path, cause });
  }
  const map = (root as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map === 'object' && map !== null) return map;
  throw new FormatError('shard index: no weight_map', { name: path });
}
