import type { SourceInput } from '../platform/byteReader.js';
import { PARTIAL_RULES, type PartialOption } from '../readers/partial.js';
import { isSource } from '../sources/input.js';
import type { OpenOptions } from '../src/checks/limits.js';
import { checkOptions, object, type Rules, text } from '../src/checks/options.js';
import { OPEN_RULES } from '../src/checks/rules.js';
import { SourceError, UnsupportedError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import type { OpenModelFile } from './directory/modelReader.js';
import type { FileOptions, InputOptions, Integrity, ModelContent } from './inputs/content.js';
import {
  checkOffline,
  closedOnFailure,
  FETCHING_RULES,
  type FetchingOptions,
  isPlace,
  openInput,
  placeOfModel,
} from './inputs/fetching.js';
import { findModel, modelPlace } from './inputs/findModel.js';
import { openOneFile, openStarted } from './inputs/formats.js';
import type { ModelPlace } from './inputs/placeOnDisk.js';
import { Model } from './model.js';

/** How a model is opened: requests, caches, limits. */
export interface OpenModelOptions extends OpenOptions, PartialOption, FetchingOptions {
  /**
   * The SHA-256 that a plain safetensors file must have, or of shards an object with that of each by its name: 64 hexadecimal
   * digits, as Git LFS and hubs state it, or `sha256-` and Base64. A load then fetches whole files, and gives tensors out
   * once all bytes of their file have been verified; another file is a ChecksumError.
   */
  readonly integrity?: Integrity | undefined;
}

const RULES: Rules<OpenModelOptions> = {
  ...OPEN_RULES,
  ...PARTIAL_RULES,
  ...FETCHING_RULES,
  // What it says of each file is checked when the files are known.
  integrity: (integrity) => text(integrity) && object(integrity) && 'a SHA-256, or an object of them',
};

/** Gives a file of a folder by its plain name: anything that bytes come from; undefined where there is none. */
export type OpenAnyFile = (name: string) => SourceInput | undefined | Promise<SourceInput | undefined>;

/**
 * Opens a model and reads its headers; nothing else is fetched before `load`.
 *
 * @param input the URL or path of a model file, of a plain safetensors file, of a shard index
 *   (`….safetensors.index.json`) or of a folder (a URL ends in `/`), which has a model directory, a shard index or one of
 *   the first two; on disk also a pattern of shards (`model-*.safetensors`); of a model of another format (ONNX, GGUF, PyTorch,
 *   `.npz`, the `model.json` of TensorFlow.js); a model on a hub (`hf:org/model`, with `@revision` or
 *   `/file`; in Node, Deno and Bun with the token of `HF_TOKEN`, at the address of `HF_ENDPOINT`); or a source of one of the first two, or
 *   anything else that their bytes come from: a File, bytes in memory, a response, a stream (see {@link SourceInput}); or a
 *   function that gives the files of a folder by name, as any of these (see {@link OpenAnyFile})
 *
 * @example
 * const model = await openModel('https://example.org/model/model.holo.safetensors');
 * const tensors = await model.load({ quality: 0.99 });
 *
 * @throws FormatError, ChecksumError, UnsupportedError, LimitError, SourceError; ArgumentError for a URL that cannot be
 * requested or names no model on a hub, and for an input that gives no bytes
 */
export async function openModel(
  input: SourceInput | OpenAnyFile,
  options: OpenModelOptions = {},
): Promise<Model> {
  return new Model(await openContent(input, checkOptions(options, RULES)), options);
}

async function openContent(
  input: SourceInput | OpenAnyFile,
  { http, cache, offline, ...options }: OpenModelOptions,
): Promise<ModelContent> {
  checkOffline({ cache, offline });
  if (typeof input === 'function') {
    return openFound({ folder: 'the folder', names: [], open: openerOf(input) }, options);
  }
  if (typeof input === 'string' && input.startsWith('hf:')) {
    // Loaded on demand: most models are elsewhere.
    const { onHub } = await import('../sources/hubUrl.js');
    const { url, http: own } = onHub(input, http);
    return openContent(url, { ...options, http: own, cache, offline });
  }
  if (isPlace(input)) {
    const place = placeOfModel(input, { ...options, http, cache, offline });
    return openFound(await modelPlace(place), options);
  }
  return isSource(input)
    ? openOneFile(input, await fileOptions(options))
    : openOwn(await openInput(input), options);
}

/** What a caller's function gives for a name is opened as anything else that bytes come from. */
function openerOf(openFile: OpenAnyFile): OpenModelFile {
  return async (name) => {
    const input = await openFile(name);
    if (input === undefined || input === null) {
      // As a server says it: another name may be there.
      const details = { file: name, status: 404 };
      throw new SourceError('Cannot open a file of the model: there is none of this name', details);
    }
    return isSource(input) ? input : openInput(input);
  };
}

async function openFound(place: ModelPlace, options: InputOptions): Promise<ModelContent> {
  const found = await findModel(place, options);
  switch (found.kind) {
    case 'directory': {
      if (options.integrity !== undefined) {
        throw new UnsupportedError(
          'Cannot verify a model directory by SHA-256: its manifest has hashes of its own',
        );
      }
      const { openDirectory } = await import('./inputs/directory.js');
      return openDirectory(found.manifest, place.open, options);
    }
    case 'shards': {
      const { openShards } = await import('./inputs/shards.js');
      return openShards(found, place.open, openOneFile, options);
    }
    case 'file':
      return closedOnFailure(found.file.source, async () =>
        openStarted(found.file, {
          ...(await fileOptions(options, found.file.name)),
          openBeside: place.open,
        }),
      );
  }
}

async function fileOptions({ integrity, ...common }: InputOptions, name?: string): Promise<FileOptions> {
  if (integrity === undefined) return { ...common, name };
  const { hashOf } = await import('./inputs/integrity.js');
  return { ...common, name, sha256: hashOf(name, integrity) };
}

/** Opens the file of a source that has no other owner. */
function openOwn(source: RandomAccessSource, options: InputOptions): Promise<ModelContent> {
  return closedOnFailure(source, async () => openOneFile(source, await fileOptions(options)));
}
