import { type ModelSource, type ModelSourceFile, readModelSource } from '../models/file/sourceFiles.js';
import { CUTS_VERSION } from '../models/file/stageTensors.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { BulkEncodeOptions, BulkModel } from './models.js';
import { openFiles } from './openFiles.js';
import { sha256 } from './sha256.js';

/** A model whose headers have been read. */
export interface OpenedModel extends AsyncDisposable {
  readonly model: ModelSource;
  /** What is not weights, such as the graph of an ONNX model. */
  readonly beside: readonly ModelSourceFile[];
  /** The text of the shard index, if it has one. */
  readonly index: string | undefined;
  /** Of the files, the options and the output: what a run has noted under it belongs to these. 64 hexadecimal digits. */
  readonly id: string;
  /** Whether all files say when they change. What is noted of others is not trusted by a later run. */
  readonly isVersioned: boolean;
}

/** Raised when notes of earlier versions cannot be read. */
const NOTES_VERSION = 1;

/** @throws SourceError, FormatError; ArgumentError for a model directory, which is encoded already */
export async function openBulkModel(
  { sources, output }: BulkModel,
  choices: BulkEncodeOptions,
  options: AbortOptions,
): Promise<OpenedModel> {
  const opened = await openFiles(sources, options);
  try {
    const { files, beside, index } = opened;
    const model = await readModelSource(files, options);
    const versions = await opened.versions();
    const { encode, order, keep, importance, maxUnitBytes } = choices;
    const headers = model.files.map(({ name, header }) => [name, sha256(header)]);
    const facts = [
      NOTES_VERSION,
      CUTS_VERSION,
      headers,
      versions,
      index,
      encode,
      order,
      keep,
      importance,
      output,
      maxUnitBytes,
    ];
    return {
      model,
      beside,
      index,
      id: sha256(JSON.stringify(facts)),
      isVersioned: versions.every((version) => version !== undefined),
      [Symbol.asyncDispose]: () => opened.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
