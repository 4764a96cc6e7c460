import { type HttpSourceOptions, httpSource } from '../sources/http/httpSource.js';
import { requestUrl } from '../sources/http/url.js';
import { createLimiter } from '../sources/limiter.js';
import { ArgumentError } from '../src/errors.js';
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
 * @param input the URL of a model file, of a plain safetensors file, of a shard index (`….safetensors.index.json`) or
 *   of a model directory (ending in `/` or `/manifest.json`); or a source of one of the first two; or a function that
 *   opens the files of a model directory by name
 *
 * @example
 * const model = await openModel('https://example.org/model/model.holo.safetensors');
 * const tensors = await model.load({ quality: 0.99 });
 *
 * @throws FormatError, ChecksumError, UnsupportedError, LimitError, SourceError; ArgumentError for a URL that cannot be
 * requested (a path is none: `await fileSource(path)` of `holostream/node` opens it), and for anything else
 */
export async function openModel(
  input: string | URL | RandomAccessSource | OpenModelFile,
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
  input: string | URL | RandomAccessSource | OpenModelFile,
  { http, ...options }: OpenModelOptions,
): Promise<ModelContent> {
  if (typeof input === 'function') return openDirectory(input, options);
  if (typeof input !== 'string' && !(input instanceof URL)) return openOneFile(input, options);
  const url = requestUrl(input);
  const file = url.pathname.slice(url.pathname.lastIndexOf('/') + 1) || MANIFEST_NAME;
  const limiter = http?.limiter ?? createLimiter(Math.floor(limitsOf(options).concurrency));
  const open = (from: URL) => httpSource(from, { ...http, limiter });
  const list = FILE_LISTS.find(({ matches }) => matches(file));
  if (list !== undefined) {
    const beside: OpenModelFile = (name) => open(new URL(encodeURIComponent(name), url));
    return list.open(beside, decoded(file), options);
  }
  const source = open(url);
  try {
    return await openOneFile(source, options);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/** @throws ArgumentError */
function decoded(file: string): string {
  try {
    return decodeURIComponent(file);
  } catch (cause) {
    throw new ArgumentError('Cannot open the model: its URL has a malformed escape', { name: file, cause });
  }
}
