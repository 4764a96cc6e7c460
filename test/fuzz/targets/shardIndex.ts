import { openOneFile } from '../../../models/inputs/formats.js';
import { parseShardIndex, readShardIndex } from '../../../models/inputs/shardIndex.js';
import { SHARD_INDEX_NAME } from '../../../models/inputs/shardIndexName.js';
import { openShards } from '../../../models/inputs/shards.js';
import { Model } from '../../../models/model.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import type { Reading, Seed, Target } from '../target.js';
import { archiveAnatomy, archiveLimits, opener, pack, unpack } from './archive.js';
import { loadedReading } from './tensors.js';

/** Sharded checkpoints: an index, and the files that it names. */

const MAX_BYTES = 2 ** 16;
const LIMITS = { limits: archiveLimits(MAX_BYTES) };

export async function shardIndexTargets(): Promise<Target[]> {
  return [
    {
      name: 'shard-index',
      seeds: await seeds(),
      anatomy: archiveAnatomy(() => {}),
      ways: [
        { name: 'loaded', read: load },
        { name: 'parsed', read: parse },
      ],
      memory: (input) => 2 ** 22 + 64 * MAX_BYTES + 64 * input.length,
    },
  ];
}

async function load(input: Uint8Array): Promise<Reading> {
  const open = opener(unpack(input));
  const index = await readShardIndex(open(SHARD_INDEX_NAME), SHARD_INDEX_NAME, LIMITS);
  const model = new Model(await openShards({ files: index.files, index }, open, openOneFile, LIMITS), LIMITS);
  try {
    return await loadedReading(model);
  } finally {
    await model.close();
  }
}

/** The index alone says less than all files: only where it is refused, the model must be, too. */
async function parse(input: Uint8Array): Promise<Reading> {
  const { fileOf, files } = parseShardIndex(indexIn(input), SHARD_INDEX_NAME, LIMITS);
  if (!files.every((file) => [...fileOf.values()].includes(file))) throw new Error('files without tensors');
  return load(input);
}

function indexIn(input: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(unpack(input).get(SHARD_INDEX_NAME));
}

async function seeds(): Promise<Seed[]> {
  const first = modelOf([
    { name: 'a', dtype: 'F32', shape: [2, 2] },
    { name: 'b', dtype: 'I64', shape: [] },
  ]);
  const second = modelOf([{ name: 'c', dtype: 'BF16', shape: [3] }], new Map([['format', 'pt']]));
  const weights = { a: 'm-1.safetensors', b: 'm-1.safetensors', c: 'm-2.safetensors' };
  return [
    seed('one', { weight_map: { c: 'm-2.safetensors' } }, { 'm-2.safetensors': second }),
    seed(
      'two',
      { metadata: { total_size: 30 }, weight_map: weights },
      { 'm-1.safetensors': first, 'm-2.safetensors': second },
    ),
    seed(
      'model-files',
      { weight_map: weights },
      {
        'm-1.safetensors': await modelFileOf(first),
        'm-2.safetensors': await modelFileOf(second),
      },
    ),
  ];
}

function seed(name: string, index: object, files: Record<string, Uint8Array>): Seed {
  const text = new TextEncoder().encode(JSON.stringify(index));
  const bytes = pack(new Map([[SHARD_INDEX_NAME, text], ...Object.entries(files)]));
  return { name, bytes, sealed: false };
}
