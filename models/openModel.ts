import type { HttpSourceOptions } from '../sources/http/httpSource.js';
import { isSource } from '../sources/input.js';
import { createLimiter } from '../sources/limiter.js';
import { openSource } from '../sources/openSource.js';
import { isUrlObject, placeOf } from '../sources/place.js';
import type { SourceInput } from '../src/byteReader.js';
import { limitsOf, type OpenOptions } from '../src/limits.js';
import type { RandomAccessSource } from '../src/source.js';
import { MANIFEST_NAME } from './directory/manifest.js';
import type { OpenModelFile } from './directory/modelReader.js';
import type { ModelContent } from './inputs/content.js';
import { openDirectory } from './inputs/directory.js';
import { openOneFile } from './inputs/formats.js';
import { isShardIndexName } from './inputs/shardIndex.js';
import { openShards } from './inputs/shards.js';
import { Model } from './model.js';

export interface OpenModelOptions extends OpenOptions {
  /**
   * How files are fetched, if the model is given by its URL. They share the limit `concurrency` of requests at a time, or
   * the `limiter` of these options, which models can share.
   */
  readonly http?: HttpSourceOptions | undefined;
}

/**
 * Opens a model and reads its headers; nothing else is fetched before `load`.
 *
 * @param input the URL or path of a model file, of a plain safetensors file, of a shard index
 *   (`….safetensors.index.json`) or of a model directory (ending in `/` or `/manifest.json`); or a source of one of the
 *   first two, or anything else that their bytes come from: a File, bytes in memory, a response, a stream (see
 *   {@link SourceInput}); or a function that opens the files of a model directory by name
 *
 * @example
 * const model = await openModel('https://example.org/model/model.holo.safetensors');
 * const tensors = await model.load({ quality: 0.99 });
 *
 * @throws FormatError, ChecksumError, UnsupportedError, LimitError, SourceError; ArgumentError for a URL that cannot be
 * requested, and for what no bytes come from
 */
export async function openModel(
  input: SourceInput | OpenModelFile,
  options: OpenModelOptions = {},
): Promise<Model> {
  return new Model(await openContent(input, options), options);
}

/** Models of several files, by the name of the file that lists the others. */
const FILE_LISTS: readonly {
  readonly matches: (name: string) => boolean;
  readonly open: (openFile: OpenModelFile, name: string, options: OpenOptions) => Promise<ModelContent>;
}[] = [
  {
    matches: (name) => name === MANIFEST_NAME,
    open: (openFile, _, options) => openDirectory(openFile, options),
  },
  { matches: isShardIndexName, open: openShards },
];

async function openContent(
  input: SourceInput | OpenModelFile,
  { http, ...options }: OpenModelOptions,
): Promise<ModelContent> {
  if (typeof input === 'function') return openDirectory(input, options);
  if (typeof input === 'string' || isUrlObject(input)) {
    const limiter = http?.limiter ?? createLimiter(Math.floor(limitsOf(options).concurrency));
    const place = placeOf(input, { ...http, limiter });
    const list = FILE_LISTS.find(({ matches }) => matches(place.name || MANIFEST_NAME));
    if (list !== undefined) return list.open(place.openBeside, place.plainName(), options);
    return openOwn(await place.open(), options);
  }
  return isSource(input) ? openOneFile(input, options) : openOwn(await openSource(input), options);
}

/** Opens the file of a source that nobody else has. */
async function openOwn(source: RandomAccessSource, options: OpenOptions): Promise<ModelContent> {
  try {
    return await openOneFile(source, options);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
