import type { SourceInput } from '../platform/byteReader.js';
import { withSource } from '../sources/input.js';
import { inTurns } from '../src/async/steps.js';
import { ABORT_RULES, type AbortOptions, checkAbort } from '../src/checks/abortOptions.js';
import { allocating } from '../src/checks/limits.js';
import { check, checkOptions, having, type Rules, wholeNumber } from '../src/checks/options.js';
import { type ElementRange, RANGE_STEPS } from '../src/encodings/encoding.js';
import { withPlace } from '../src/errors/placed.js';
import { type EncodingDecodeOptions, HOLO_DECODE_RULES } from '../src/holotensor/decodeOptions.js';
import type { HoloTensorDecoder } from '../src/holotensor/decoder.js';
import type { FragmentIndexEntry, ReceivedFragment } from '../src/holotensor/fragment.js';
import type { HoloTensorHeader } from '../src/holotensor/header.js';
import { QUALITY, reachesQuality } from '../src/holotensor/quality.js';
import {
  RECONSTRUCTION_RULES,
  type Reconstruction,
  type ReconstructionOptions,
  reconstructing,
  reconstructingInto,
} from '../src/holotensor/reconstruction.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { type RandomAccessSource, sourceName } from '../src/source.js';
import { byteLengthOf, elementCount } from '../src/tensor/dtype.js';
import { assertWithin, checkOutput, typedArray } from '../src/tensor/tensor.js';
import { MIN_WORKER_BYTES } from '../workers/task.js';
import { FragmentReader } from './fragmentReader.js';
import { type HoloTensorReaderOptions, type OpenedHoloTensor, openHoloTensor } from './openHoloTensor.js';
import { copyOverlap, type TensorReader } from './tensorReader.js';

/** How many fragments are read, and as what the tensor is given out. */
export type HoloTensorReadOptions = EncodingDecodeOptions &
  ReconstructionOptions &
  AbortOptions & {
    /**
     * For dtype 'F32': the array to fill, with the length of the tensor; it becomes the `data` of the tensor.
     * Default: a new one. Workers write to shared memory directly, after an abort perhaps a moment longer.
     */
    readonly out?: Float32Array | undefined;
  };

/** Type and length of `out` are compared with the tensor's. */
const READ_RULES: Rules<HoloTensorReadOptions> = {
  ...HOLO_DECODE_RULES,
  ...RECONSTRUCTION_RULES,
  ...ABORT_RULES,
  out: /* @__PURE__ */ typedArray('Float32Array'),
};

/**
 * Random access to one HoloTensor file. Only the bytes that are needed are read: header and index on opening, then
 * the requested fragments. Methods can run concurrently.
 *
 * @example
 * const reader = await HoloTensorReader.open(httpSource('https://example.org/model/fc1.weight.holo'));
 * const { data, quality } = await reader.readToQuality(0.99);
 */
export class HoloTensorReader implements TensorReader {
  readonly #fragments: FragmentReader;
  readonly #source: RandomAccessSource;
  /** How workers decode. */
  readonly #options: HoloTensorReaderOptions;

  private constructor(opened: OpenedHoloTensor) {
    this.#fragments = new FragmentReader(opened);
    this.#source = opened.source;
    this.#options = opened.options;
  }

  /**
   * Reads header and index. The reader then owns the source: `close` closes it.
   * @param input a source, or anything that bytes come from: a URL, a path, a File, bytes, a stream (see
   *   {@link SourceInput})
   * @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError; SourceError; ArgumentError for
   *   an input that gives no bytes
   */
  static async open(input: SourceInput, options: HoloTensorReaderOptions = {}): Promise<HoloTensorReader> {
    return withSource(input, async (source) => new HoloTensorReader(await openHoloTensor(source, options)));
  }

  get header(): HoloTensorHeader {
    return this.#fragments.layout.header;
  }

  get shape(): readonly number[] {
    return this.header.shape;
  }

  /** Where each fragment is and how it is stored, in the order in which they are stored. */
  get entries(): readonly FragmentIndexEntry[] {
    return this.#fragments.layout.entries;
  }

  /** The complete ones among them; with `partial`, some may be missing. */
  get available(): readonly FragmentIndexEntry[] {
    return this.#fragments.available;
  }

  /** Bytes before the first fragment. */
  get dataStart(): number {
    return this.#fragments.layout.dataStart;
  }

  /** @throws ArgumentError, TruncatedError, ChecksumError, CodecError, LimitError */
  readFragment(index: number, options: AbortOptions = {}): Promise<ReceivedFragment> {
    return this.#placed(() => this.#fragments.read(index, options));
  }

  /**
   * The whole tensor, in one read; with `partial`, the best from the complete fragments. With workers, one of them
   * decodes it, or several if it is large and its encoding allows it.
   * @throws LimitError for a tensor that is too large; ArgumentError for an `out` of another type or length;
   *   TruncatedError if no fragment is complete
   */
  async readAll(options: HoloTensorReadOptions = {}): Promise<Reconstruction> {
    this.#check(options);
    const { out, kernels } = options;
    return this.#placed(async () =>
      this.#wantsWorkers(kernels)
        ? this.#readInWorkers(options, out)
        : inTurns(reconstructing(await this.#fragments.decodeAll(options), options, out), options.signal),
    );
  }

  /**
   * Fills `out` with the bytes of the tensor from `byteStart` on, in its own dtype: bit for bit where the encoding is
   * lossless, else rounded. All fragments are read. Of tensors that are encoded in tiles, only the tiles of these bytes
   * are decoded.
   */
  async readInto(out: Uint8Array, byteStart = 0, options: AbortOptions = {}): Promise<void> {
    const { originalSize } = this.header;
    check('out', out, typedArray('Uint8Array'));
    const { signal } = checkAbort(options);
    check('byteStart', byteStart, wholeNumber());
    const byteEnd = byteStart + out.length;
    assertWithin('bytes', byteStart, byteEnd, originalSize);
    if (out.length > 0) await this.#placed(() => this.#readInto(out, byteStart, { signal }));
  }

  async #readInto(out: Uint8Array, byteStart: number, { signal }: AbortOptions): Promise<void> {
    const { dtype, originalSize } = this.header;
    const byteEnd = byteStart + out.length;
    const sourceOptions = { dtype: 'source', signal } as const;
    if (out.length === originalSize && this.#wantsWorkers()) {
      await this.#readInWorkers(sourceOptions, out);
      return;
    }
    const range = coveringRange(this.header, byteStart, byteEnd);
    const [start, end] = [byteLengthOf(dtype, range.start), byteLengthOf(dtype, range.end)];
    const decoder = await this.#fragments.decodeAll({ ...sourceOptions, range });
    const exact = start === byteStart && end === byteEnd;
    const target = exact ? out : allocating(() => new Uint8Array(end - start));
    await inTurns(reconstructingInto(target, decoder, sourceOptions), signal);
    if (!exact) copyOverlap(target, start - byteStart, out);
  }

  #wantsWorkers(kernels?: Kernels): boolean {
    const large = this.header.originalSize >= MIN_WORKER_BYTES.reconstruction;
    return Boolean(this.#options.workers) && kernels === undefined && large;
  }

  async #readInWorkers(
    options: HoloTensorReadOptions,
    out: Float32Array | Uint8Array | undefined,
  ): Promise<Reconstruction> {
    // Loaded on demand, because most pages decode without workers.
    const { reconstructInWorkers } = await import('./reconstructInWorkers.js');
    const fragments = this.#fragments;
    const { implementation, verify, limits, workers } = this.#options;
    const { kernels: _, ...readOptions } = options;
    return reconstructInWorkers(
      workers!,
      { header: this.header, entries: fragments.some, data: await fragments.readStored(options) },
      { limits, ...readOptions, out, implementation, verify },
    );
  }

  /** The best tensor from these fragments. */
  async readFragments(
    indexes: Iterable<number>,
    options: HoloTensorReadOptions = {},
  ): Promise<Reconstruction> {
    check('indexes', indexes, having<Iterable<number>>(Symbol.iterator, 'an iterable of numbers'));
    return this.#readSome(indexes, options);
  }

  /**
   * Reads fragments in order until the cosine similarity with the original is at least `quality`: the true one if
   * the file determines it, otherwise the prediction of its curve. For 1, it reads all fragments; with `partial`,
   * those that are complete.
   */
  async readToQuality(quality: number, options: HoloTensorReadOptions = {}): Promise<Reconstruction> {
    check('quality', quality, QUALITY);
    const some = await this.#placed(() => this.#fragments.some);
    const inOrder = some.map(({ index }) => index).sort((a, b) => a - b);
    return this.#readSome(
      inOrder,
      options,
      (decoder) => decoder.usable && !decoder.waits && reachesQuality(decoder, quality),
    );
  }

  async #readSome(
    indexes: Iterable<number>,
    options: HoloTensorReadOptions,
    isEnough?: (decoder: HoloTensorDecoder) => boolean,
  ): Promise<Reconstruction> {
    this.#check(options);
    return this.#placed(async () => {
      const decoder = await this.#fragments.decode(indexes, options, isEnough);
      return inTurns(reconstructing(decoder, options, options.out), options.signal);
    });
  }

  /** Errors of the bytes say which file it is. */
  #placed<T>(work: () => T | Promise<T>): Promise<T> {
    return withPlace({ file: sourceName(this.#source) }, work);
  }

  /** Closes the source. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }

  #check(options: HoloTensorReadOptions): void {
    const { dtype, out } = checkOptions(options, READ_RULES);
    if (out === undefined) return;
    check('dtype', dtype, () => dtype === 'source' && 'F32, because `out` holds numbers');
    checkOutput(out, elementCount(this.shape));
  }
}

/** The smallest range of elements with these bytes that can be decoded without the others. */
function coveringRange(
  { encoding, dtype, shape }: HoloTensorHeader,
  byteStart: number,
  byteEnd: number,
): ElementRange {
  const elements = elementCount(shape);
  const step = RANGE_STEPS[encoding] ?? elements;
  const bytes = byteLengthOf(dtype, step);
  const start = Math.floor(byteStart / bytes) * step;
  const end = Math.min(Math.ceil(byteEnd / bytes) * step, elements);
  return { start, end };
}
