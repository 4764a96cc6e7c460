/** The name under which loaders of sharded models look for the index. */
export const SHARD_INDEX_NAME = 'model.safetensors.index.json';

/** Whether a file with this name is a shard index: `model.safetensors.index.json`, or that of a variant: `….index.fp16.json`. */
export function isShardIndexName(name: string): boolean {
  return /\.index(\.[^./\\]+)?\.json$/.test(name);
}
