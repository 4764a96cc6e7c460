import { nextTurn } from '../../src/async/steps.js';
import { Budget, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import {
  callback,
  check,
  checkOptions,
  listOf,
  oneOf,
  type Rule,
  type Rules,
  text,
  wholeNumber,
} from '../../src/checks/options.js';
import { OPEN_RULES, optional, record } from '../../src/checks/rules.js';
import { FormatError } from '../../src/errors.js';
import { SAFETENSORS_DTYPES } from '../../src/safetensors/header.js';
import { assertSource, discard, type RandomAccessSource, type SeekableSink } from '../../src/source.js';
import { SHAPE } from '../../src/tensor/dtype.js';
import { eachBounded } from '../../workers/eachBounded.js';
import { loadPool } from '../../workers/loadPool.js';
import type { WorkersOption } from '../../workers/pool.js';
import { WORKERS } from '../../workers/task.js';
import { isPlainFileName } from '../directory/fileNames.js';
import { loadableTensor, modelFileContent } from '../inputs/modelFile.js';
import { choosePieces, decodeChosen } from '../plain/choosePieces.js';
import { boundOfParts, memoryForParts, type TensorPart, tensorParts } from '../plain/tensorParts.js';
import { type ModelFile, type ModelFileTensor, readModelFile } from './modelFile.js';
import { ENCODED_PLAN, HASH_TEXT, type SourceFile, WEIGHT } from './plan.js';
import { sourceFileHeader, sourceFileTensors } from './sourceFiles.js';

export interface DecodeModelFileOptions extends OpenOptions, WorkersOption {
  /** Called with the bytes of tensors decoded so far, and how many there will be. */
  readonly onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

const RULES: Rules<DecodeModelFileOptions> = {
  ...OPEN_RULES,
  workers: WORKERS,
  onProgress: callback,
};

/**
 * Restores the safetensors files that a model file was made from: byte for byte if its encoding is lossless. Memory:
 * the largest tensor, times a small constant; with workers, that many of them more.
 *
 * @param openSink creates the sink of a file with this name, the one it had when the model was encoded: a plain name,
 * which leads out of no folder.
 * @throws FormatError, ChecksumError, CodecError, LimitError, SourceError; it aborts the open sink before
 */
export async function decodeModelFile(
  source: RandomAccessSource,
  openSink: (name: string) => Promise<SeekableSink>,
  options: DecodeModelFileOptions = {},
): Promise<ModelFile> {
  const { signal, limits, workers, onProgress } = checkOptions(options, RULES);
  check('openSink', openSink, callback);
  const [model, pool] = await Promise.all([readModelFile(source, options), loadPool(workers)]);
  assertNames(model.plan.files);
  const { tensors: chosen, bytes: received } = choosePieces(modelFileContent(model, source).tensors);
  const tensors = new Map(chosen.map((one) => [one.tensor.name, one]));
  // The bytes of all pay for one that is all zeros, as where a model is loaded.
  const budget = new Budget(limitsOf({ limits }), received);
  const total = model.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bound = boundOfParts(chosen, pool);
  const memory = memoryForParts(chosen, pool);
  let done = 0;
  for (const file of model.plan.files) {
    const sink = await openSink(file.name);
    const write = async ({ start, part }: PlacedPart, own: AbortSignal) => {
      const bytes = await part.decode({ signal: own, pool, memory, budget });
      await sink.write(bytes, start + part.offset);
      memory.parts.give(bytes.buffer);
      done += bytes.length;
      await nextTurn(own);
      onProgress?.(done, total);
    };
    function* parts(): Iterable<PlacedPart> {
      for (const { name, offset: start } of sourceFileTensors(file, { limits })) {
        for (const part of tensorParts(tensors.get(name)!))
          yield { start, part, byteLength: part.byteLength };
      }
    }
    try {
      await sink.write(sourceFileHeader(file), 0);
      await eachBounded(parts(), bound, write, signal);
      await sink.close();
    } catch (error) {
      await discard(sink, error);
      throw error;
    }
  }
  return model;
}

/** A part of a tensor that begins at `start` in its file. */
interface PlacedPart extends Pick<TensorPart, 'byteLength'> {
  readonly start: number;
  readonly part: TensorPart;
}

/** @throws FormatError for a name that may lead out of a folder, and for one that two files have: one would replace the other */
export function assertNames(files: readonly SourceFile[]): void {
  const names = new Set<string>();
  for (const { name } of files) {
    if (!isPlainFileName(name))
      throw new FormatError('Cannot decode the model file: a file name in it is not plain', { name });
    if (names.has(name))
      throw new FormatError('Cannot decode the model file: two of its files have the same name', { name });
    names.add(name);
  }
}

const PIECES = /* @__PURE__ */ listOf<ModelFileTensor['pieces'][number]>(
  /* @__PURE__ */ record({ offset: /* @__PURE__ */ wholeNumber(), length: /* @__PURE__ */ wholeNumber() }),
);

/** Of the fields that it is decoded by. */
const TENSOR: Rule<ModelFileTensor> = /* @__PURE__ */ record<ModelFileTensor>({
  name: text,
  dtype: /* @__PURE__ */ oneOf(SAFETENSORS_DTYPES),
  shape: SHAPE,
  byteLength: /* @__PURE__ */ wholeNumber(),
  weight: WEIGHT,
  encoded: /* @__PURE__ */ optional(ENCODED_PLAN),
  pieces: (pieces) => PIECES(pieces) || ((pieces as readonly unknown[]).length === 0 && 'at least one piece'),
  firstPieceHash: HASH_TEXT,
});

/**
 * The bytes of one tensor of a model file, decoded from all its fragments.
 * @throws FormatError, ChecksumError, CodecError, LimitError, SourceError
 */
export async function readModelTensor(
  source: RandomAccessSource,
  tensor: ModelFileTensor,
  options: OpenOptions = {},
): Promise<Uint8Array> {
  assertSource(source);
  const { signal } = checkOptions(options, OPEN_RULES);
  check('tensor', tensor, TENSOR);
  const whole = loadableTensor(tensor, source);
  const pieces = whole.pieces.map((one, piece) => ({ ...one, tensor: whole, piece }));
  return decodeChosen({ tensor: whole, pieces, cosine: 1 }, new Budget(limitsOf(options)), { signal });
}
