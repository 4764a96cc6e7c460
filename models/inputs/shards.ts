import { readWhole } from '../../sources/read.js';
import { FormatError } from '../../src/errors.js';
import type { AbortOptions, RandomAccessSource } from '../../src/source.js';
import { isSafeFileName } from '../directory/fileNames.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import type { LoadableTensor, ModelContent } from './content.js';
import { openSafetensors } from './modelFile.js';

/** A shard index has a line a tensor; this is beyond a million of them. */
const MAX_INDEX_SIZE = 2 ** 27;

/**
 * A sharded checkpoint: `model.safetensors.index.json` says which file has which tensor.
 * @throws FormatError when the index names no plain files, or a tensor is not where it says
 */
export async function openShards(
  openFile: OpenModelFile,
  indexName: string,
  options: AbortOptions,
): Promise<ModelContent> {
  const text = await readText(await openFile(indexName), options);
  const places = parseShardIndex(text);
  const contents = new Map<string, ModelContent>();
  for (const file of new Set(places.values())) {
    contents.set(file, await openSafetensors(await openFile(file), options));
  }
  const tensors: LoadableTensor[] = [];
  for (const content of contents.values()) tensors.push(...content.tensors);
  const known = new Set(tensors.map(({ name }) => name));
  for (const [name, file] of places) {
    if (!known.has(name)) throw new FormatError('shard has no such tensor', { name: `${name} in ${file}` });
  }
  if (known.size !== tensors.length) throw new FormatError('two shards have a tensor of the same name');
  const all = [...contents.values()];
  return {
    format: all.every(({ format }) => format === 'model-file') ? 'model-file' : 'safetensors',
    metadata: new Map(all.toReversed().flatMap(({ metadata }) => [...metadata])),
    tensors,
    headerSize: all.reduce((sum, { headerSize }) => sum + headerSize, text.length),
    close: async () => {
      for (const content of all) await content.close();
    },
  };
}

/** File of each tensor. */
export function parseShardIndex(text: string): Map<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError('shard index: no JSON', { cause });
  }
  const map = (value as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null) throw new FormatError('shard index: no weight_map');
  return new Map(
    Object.entries(map).map(([name, file]: [string, unknown]) => {
      if (typeof file === 'string' && isSafeFileName(file)) return [name, file];
      throw new FormatError('shard index: file name', { name, actual: String(file) });
    }),
  );
}

async function readText(source: RandomAccessSource, options: AbortOptions): Promise<string> {
  const tooLarge = () =>
    new FormatError('shard index: size', { expected: `at most ${MAX_INDEX_SIZE} bytes` });
  try {
    return new TextDecoder().decode(await readWhole(source, MAX_INDEX_SIZE, tooLarge, options));
  } finally {
    await source.close?.();
  }
}
