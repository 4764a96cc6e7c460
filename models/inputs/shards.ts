import { withOwnSignal } from '../../platform/abort.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { checkLimit, limitsOf } from '../../src/checks/limits.js';
import { FormatError } from '../../src/errors.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import type { InputOptions, ModelContent } from './content.js';
import type { openOneFile } from './formats.js';
import type { ShardIndex } from './shardIndex.js';

/** Shards load on demand, and need it first. */
export { readShardIndex } from './shardIndex.js';

/** The files of a sharded checkpoint, and the index that says which of them has which tensor, if there is one. */
export interface Shards {
  readonly files: readonly string[];
  readonly index: ShardIndex | undefined;
}

/**
 * A sharded checkpoint.
 * @param openFile opens the shards by their names
 * @param openContent opens each as a model, which the page that loads this has code for
 * @throws FormatError when a tensor is in two shards, or not where the index says
 */
export async function openShards(
  { files, index }: Shards,
  openFile: OpenModelFile,
  openContent: typeof openOneFile,
  options: InputOptions,
): Promise<ModelContent> {
  const { integrity, ...common } = options;
  const hashes =
    integrity === undefined ? undefined : (await import('./integrity.js')).hashesOf(files, integrity);
  let tensors = 0;
  const openShard = async (file: string, signal: AbortSignal): Promise<ModelContent> => {
    const source = await openFile(file);
    try {
      const content = await openContent(source, { ...common, name: file, sha256: hashes?.get(file), signal });
      tensors += content.tensors.length;
      checkLimit(limitsOf(options), 'tensors', tensors, 'Cannot open the shards: too many tensors');
      return content;
    } catch (error) {
      await source.close?.();
      throw error;
    }
  };
  const contents = await openAll(files, openShard, options);
  const close = () => closeAll(contents);
  try {
    const found = contents.map(({ tensors, format }, i) => ({ file: files[i]!, tensors, format }));
    assertComplete(found, index);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    format: formatOf(contents),
    // If two shards disagree about a key, the first one counts.
    metadata: new Map(contents.toReversed().flatMap(({ metadata }) => [...metadata])),
    tensors: contents.flatMap(({ tensors }) => tensors),
    files: contents.every(({ files }) => files !== undefined)
      ? contents.flatMap(({ files = [] }) => files)
      : undefined,
    close,
  };
}

/** Of all shards; where they differ, and without any, that of those that have been taken for granted. */
function formatOf([first, ...rest]: readonly ModelContent[]): ModelContent['format'] {
  return first !== undefined && rest.every(({ format }) => format === first.format)
    ? first.format
    : 'safetensors';
}

/** Opens all files together. When one fails, the others are given up, and those that are open are closed. */
async function openAll(
  files: readonly string[],
  open: (file: string, signal: AbortSignal) => Promise<ModelContent>,
  { signal }: AbortOptions,
): Promise<ModelContent[]> {
  return withOwnSignal(signal, async (own, abort) => {
    const opening = files.map((file) => open(file, own));
    try {
      return await Promise.all(opening);
    } catch (error) {
      abort(error);
      const settled = await Promise.allSettled(opening);
      await closeAll(settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
      throw error;
    }
  });
}

async function closeAll(contents: readonly ModelContent[]): Promise<void> {
  await Promise.all(contents.map((content) => content.close()));
}

/** What of a shard is compared with the index. */
interface ListedShard extends Pick<ModelContent, 'format'> {
  readonly file: string;
  readonly tensors: readonly { readonly name: string }[];
}

/**
 * @throws FormatError unless each tensor is in one shard, and where the index says. Checkpoints of PyTorch list tied tensors once,
 *   and the index has all of their names
 */
export function assertComplete(shards: readonly ListedShard[], index: ShardIndex | undefined): void {
  const found = new Map<string, string>();
  const withTied = new Set<string>();
  for (const { file, tensors, format } of shards) {
    if (format === 'zip') withTied.add(file);
    for (const { name } of tensors) {
      if (found.has(name))
        throw new FormatError('Cannot open the shards: two of them have a tensor of the same name', { name });
      found.set(name, file);
    }
  }
  for (const [name, file] of index?.fileOf ?? []) {
    const isTied = withTied.has(file) && !found.has(name);
    if (found.get(name) !== file && !isTied) {
      throw new FormatError('Cannot open the shards: one has no such tensor', { name: `${name} in ${file}` });
    }
  }
}
