/** `openModel` of `holostream/lean`: of model files, and of nothing else. */
import type { SourceInput } from '../platform/byteReader.js';
import { PARTIAL_RULES, type PartialOption } from '../readers/partial.js';
import { isSource } from '../sources/input.js';
import { isSafetensorsStart } from '../src/bytes/fileStart.js';
import type { OpenOptions } from '../src/checks/limits.js';
import { checkOptions, type Rules } from '../src/checks/options.js';
import { OPEN_RULES } from '../src/checks/rules.js';
import { UnsupportedError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { isModelFileHeader } from './file/headerChecksum.js';
import type { ModelContent } from './inputs/content.js';
import {
  checkOffline,
  closedOnFailure,
  FETCHING_RULES,
  type FetchingOptions,
  isPlace,
  openInput,
  placeOfModel,
} from './inputs/fetching.js';
import { openModelFile } from './inputs/modelFile.js';
import { openingStarted, startFile } from './inputs/startedFile.js';
import { Model } from './model.js';

/** How a model is opened: requests, caches, limits. */
export interface OpenModelOptions extends OpenOptions, PartialOption, FetchingOptions {}

const RULES: Rules<OpenModelOptions> = { ...OPEN_RULES, ...PARTIAL_RULES, ...FETCHING_RULES };

/**
 * Opens a model file and reads its header; nothing else is fetched before `load`.
 *
 * @param input its URL; or a source of it, or anything else that its bytes come from: a File, bytes in memory, a response,
 *   a stream (see {@link SourceInput})
 *
 * @example
 * const model = await openModel('https://example.org/model/model.holo.safetensors');
 * const tensors = await model.load({ quality: 0.99 });
 *
 * @throws FormatError, ChecksumError, LimitError, SourceError; UnsupportedError for everything but a model file, which
 *   `openModel` of `holostream` may open; ArgumentError for a URL that cannot be requested, and for an input that gives no bytes
 */
export async function openModel(input: SourceInput, options: OpenModelOptions = {}): Promise<Model> {
  return new Model(await openContent(input, checkOptions(options, RULES)), options);
}

async function openContent(input: SourceInput, options: OpenModelOptions): Promise<ModelContent> {
  checkOffline(options);
  // An option that is ignored would be taken for granted.
  if ('integrity' in options && options.integrity !== undefined)
    throw openedElsewhere('a file by its SHA-256');
  if (typeof input === 'function') throw openedElsewhere('a folder');
  if (isSource(input)) return openFile(input, options);
  const source = await sourceOf(input, options);
  return closedOnFailure(source, () => openFile(source, options));
}

async function sourceOf(input: SourceInput, options: OpenModelOptions): Promise<RandomAccessSource> {
  if (!isPlace(input)) return openInput(input);
  if (/^hf:/.test(String(input))) throw openedElsewhere('a model of a hub by its name');
  const { name, open } = placeOfModel(input, options);
  if (name === '') throw openedElsewhere('a folder');
  return open();
}

async function openFile(file: RandomAccessSource, options: OpenModelOptions): Promise<ModelContent> {
  const started = await startFile(file, options);
  return openingStarted(started, async () => {
    const { start, source } = started;
    if (!isSafetensorsStart(start) || !isModelFileHeader(start)) {
      throw openedElsewhere('a file that is no model file');
    }
    return openModelFile(source, options);
  });
}

function openedElsewhere(what: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot open ${what}: holostream/lean has model files only; use openModel of holostream`,
  );
}
