import { type HttpSourceOptions, httpSource } from '../sources/http/httpSource.js';
import type { AbortOptions, RandomAccessSource } from '../src/source.js';
import { MANIFEST_NAME } from './directory/manifest.js';
import type { OpenModelFile } from './directory/modelReader.js';
import { openDirectory } from './inputs/directory.js';
import { openSafetensors } from './inputs/modelFile.js';
import { openShards } from './inputs/shards.js';
import { Model } from './model.js';

export interface OpenModelOptions extends AbortOptions {
  /** How files are fetched, where the model is given by its URL. Models that share a `limiter` share its places. */
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
 * @throws FormatError, ChecksumError, UnsupportedError, LimitError, SourceError
 */
export async function openModel(
  input: string | URL | RandomAccessSource | OpenModelFile,
  options: OpenModelOptions = {},
): Promise<Model> {
  const { http, signal } = options;
  if (typeof input === 'function') return new Model(await openDirectory(input, { signal }));
  if (typeof input !== 'string' && !(input instanceof URL)) {
    return new Model(await openSafetensors(input, { signal }));
  }
  const url = new URL(input, globalThis.location?.href);
  const beside: OpenModelFile = (name) => httpSource(new URL(name, url), http);
  const file = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  if (file === '' || file === MANIFEST_NAME) return new Model(await openDirectory(beside, { signal }));
  if (file.endsWith('.index.json')) {
    return new Model(await openShards(beside, decodeURIComponent(file), { signal }));
  }
  const source = httpSource(url, http);
  try {
    return new Model(await openSafetensors(source, { signal }));
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
