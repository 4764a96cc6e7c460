import { ReusedMemory } from '../../src/bytes/reusedMemory.js';
import { check, checkOptions, having, type Rule } from '../../src/checks/options.js';
import { loadCodec } from '../../src/codecs/loadCodec.js';
import { ArgumentError } from '../../src/errors.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { assertSink, discard, type SeekableSink } from '../../src/source.js';
import { boundByBytes } from '../../workers/bound.js';
import { loadPool } from '../../workers/loadPool.js';
import { isPlainFileName } from '../directory/fileNames.js';
import { assembleModelFile } from './assemble.js';
import { ENCODE_RULES, type EncodeModelFileOptions } from './encodeOptions.js';
import { askedFragments, checkFragmentOptions, isShort } from './encodeTensor.js';
import { type LocatedTensor, type ModelSourceFile, readModelSource, SOURCE_FILES } from './sourceFiles.js';
import { stageTensors, totalSize } from './stageTensors.js';
import { type StagingStore, withSmallInMemory } from './stagingStore.js';

const STAGING: Rule<StagingStore> = /* @__PURE__ */ having(
  'create',
  'a staging store, such as memoryStagingStore()',
);

/** Sizes in bytes. */
export interface ModelFileStats {
  /** All tensors, and those of them that were cut into fragments. */
  readonly tensors: number;
  readonly encoded: number;
  /**
   * Cut tensors with fewer fragments than `encode` asks for, in their number or by qualities: their bits cannot be divided
   * that finely. Those below 1,024 elements, which are in two parts, do not count.
   */
  readonly fewerFragments: number;
  /** Of the tensors' elements. */
  readonly originalSize: number;
  readonly fileSize: number;
}

/**
 * Turns safetensors files into one model file: a valid safetensors file whose one tensor is all fragments, sorted by quality
 * gain per byte, so every prefix is a whole model at some quality. Memory: the largest tensor and its encoder's memory,
 * times a small constant; with workers, that many of them more. The file is the same with any number of workers.
 *
 * @param inputs their names are plain, and what decoding calls the files
 * @throws FormatError, SourceError for inputs that cannot be read, SourceChangedError for those that change meanwhile;
 *   ChecksumError for a staging store that does; ArgumentError for options that cannot work and for
 *   tensors that the encoding cannot carry. It aborts the sink before; the staging store keeps the encoded tensors.
 */
export async function encodeModelFile(
  inputs: readonly ModelSourceFile[],
  sink: SeekableSink,
  staging: StagingStore,
  options: EncodeModelFileOptions = {},
): Promise<ModelFileStats> {
  checkOptions(options, ENCODE_RULES);
  check('inputs', inputs, SOURCE_FILES);
  check('staging', staging, STAGING);
  assertSink(sink);
  try {
    if (inputs.length === 0) throw new ArgumentError('Cannot encode the model: it has no files');
    for (const { name } of inputs) {
      if (!isPlainFileName(name))
        throw new ArgumentError('Cannot encode the model: the name of a file is not plain', { name });
    }
    const kernels = await loadKernels();
    checkFragmentOptions(options.encode ?? {});
    const model = await readModelSource(inputs, options);
    const [codec, pool] = await Promise.all([loadCodec('zstd'), loadPool(options.workers)]);
    const sizes = model.tensors.map(({ byteLength }) => byteLength);
    const bound = boundByBytes(
      sizes,
      ([, { byteLength }]: readonly [number, LocatedTensor]) => byteLength,
      pool,
    );
    const { most } = bound.weight;
    // Payloads are smaller than their tensors.
    const memory = { tensors: new ReusedMemory(most), payloads: new ReusedMemory(most / 2) };
    const store = withSmallInMemory(staging, (entry) => {
      const tensor = model.tensors[Number(entry)]!;
      return isShort(tensor) ? tensor.byteLength : undefined;
    });
    const jobs = await stageTensors(model, store, { kernels, codec, pool, memory }, bound, options);
    const fileSize = await assembleModelFile(model, jobs, sink, store, kernels, memory.tensors, options);
    const encoded = jobs.flatMap(({ tensor, staged }) => (staged === undefined ? [] : { tensor, staged }));
    const asked = askedFragments(options.encode ?? {}) ?? 0;
    return {
      tensors: jobs.length,
      encoded: encoded.length,
      fewerFragments: encoded.filter(
        ({ tensor, staged }) => !isShort(tensor) && staged.cosines.length < asked,
      ).length,
      originalSize: totalSize(model),
      fileSize,
    };
  } catch (error) {
    await discard(sink, error);
    throw error;
  }
}
