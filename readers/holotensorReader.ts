import type { SourceInput } from '../platform/byteReader.js';
import { withSource } from '../sources/input.js';
import { inTurns, Turns } from '../src/async/steps.js';
import { ABORT_RULES, type AbortOptions, checkAbort } from '../src/checks/abortOptions.js';
import { type AllLimits, allocating, checkLimit, limitsOf } from '../src/checks/limits.js';
import { check, checkOptions, having, type Rules, wholeNumber } from '../src/checks/options.js';
import { loadDecodingOf } from '../src/encodings/decodings.js';
import { type ElementRange, RANGE_STEPS } from '../src/encodings/encoding.js';
import { TruncatedError } from '../src/errors.js';
import {
  type EncodingDecodeOptions,
  HOLO_DECODE_RULES,
  HoloTensorDecoder,
  type RangeOption,
} from '../src/holotensor/decoder.js';
import {
  checkFragmentBytes,
  endOfFragment,
  type FragmentIndexEntry,
  type ReceivedFragment,
} from '../src/holotensor/fragment.js';
import type { HoloTensorHeader } from '../src/holotensor/header.js';
import type { HoloTensorLayout } from '../src/holotensor/parser.js';
import { QUALITY, reachesQuality } from '../src/holotensor/quality.js';
import {
  RECONSTRUCTION_RULES,
  type Reconstruction,
  type ReconstructionOptions,
  reconstructing,
  reconstructingInto,
} from '../src/holotensor/reconstruction.js';
import { FragmentUnpacker } from '../src/holotensor/unpack.js';
import type { Kernels } from '../src/kernels/kernels.js';
import type { RandomAccessSource } from '../src/source.js';
import { byteLengthOf, elementCount } from '../src/tensor/dtype.js';
import { assertWithin, checkOutput, typedArray } from '../src/tensor/tensor.js';
import { MIN_WORKER_BYTES } from '../workers/task.js';
import { type HoloTensorReaderOptions, type OpenedHoloTensor, openHoloTensor } from './openHoloTensor.js';
import { readBytes } from './readGrammar.js';
import { copyOverlap, type TensorReader } from './tensorReader.js';

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
  readonly #source: RandomAccessSource;
  readonly #layout: HoloTensorLayout;
  readonly #byIndex: readonly FragmentIndexEntry[];
  readonly #available: readonly FragmentIndexEntry[];
  readonly #unpacker: FragmentUnpacker;
  readonly #options: Omit<HoloTensorReaderOptions, 'signal'>;
  readonly #limits: AllLimits;

  private constructor({ source, layout, available, kernels, options }: OpenedHoloTensor) {
    this.#source = source;
    this.#layout = layout;
    this.#byIndex = layout.entries.toSorted((a, b) => a.index - b.index);
    this.#available = available;
    this.#unpacker = new FragmentUnpacker(kernels, options);
    const { signal: _, ...others } = options;
    this.#options = others;
    this.#limits = limitsOf(options);
  }

  /**
   * Reads header and index. The reader then owns the source: `close` closes it.
   * @param input a source, or anything that bytes come from: a URL, a path, a File, bytes, a stream (see
   *   {@link SourceInput})
   * @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError; SourceError; ArgumentError for what
   *   no bytes come from
   */
  static async open(input: SourceInput, options: HoloTensorReaderOptions = {}): Promise<HoloTensorReader> {
    return withSource(input, async (source) => new HoloTensorReader(await openHoloTensor(source, options)));
  }

  get header(): HoloTensorHeader {
    return this.#layout.header;
  }

  get shape(): readonly number[] {
    return this.header.shape;
  }

  /** Where each fragment is and how it is stored, in the order in which they are stored. */
  get entries(): readonly FragmentIndexEntry[] {
    return this.#layout.entries;
  }

  /** The complete ones among them; with `partial`, some may be missing. */
  get available(): readonly FragmentIndexEntry[] {
    return this.#available;
  }

  /** Bytes before the first fragment. */
  get dataStart(): number {
    return this.#layout.dataStart;
  }

  /** @throws ArgumentError, TruncatedError, ChecksumError, CodecError, LimitError */
  async readFragment(index: number, options: AbortOptions = {}): Promise<ReceivedFragment> {
    check('fragmentIndex', index, wholeNumber(0, this.entries.length - 1));
    checkAbort(options);
    const entry = this.#byIndex[index]!;
    checkFragmentBytes(this.#limits, index, entry.compressedSize);
    const { dataStart, header } = this.#layout;
    const stored = await readBytes(this.#source, dataStart + entry.offset, entry.compressedSize, options);
    return this.#unpacker.unpack({ header, entry, stored });
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
    if (this.#wantsWorkers(kernels)) {
      return this.#readInWorkers(options, out);
    }
    return inTurns(reconstructing(await this.#decodeAll(options), options, out), options.signal);
  }

  /**
   * Fills `out` with the bytes of the tensor from `byteStart` on, in its own dtype: bit for bit where the encoding is
   * lossless, else rounded. All fragments are read. Of tensors that are encoded in tiles, only the tiles of these bytes
   * are decoded.
   */
  async readInto(out: Uint8Array, byteStart = 0, options: AbortOptions = {}): Promise<void> {
    const { dtype, originalSize } = this.header;
    check('out', out, typedArray('Uint8Array'));
    const { signal } = checkAbort(options);
    check('byteStart', byteStart, wholeNumber());
    const byteEnd = byteStart + out.length;
    assertWithin('bytes', byteStart, byteEnd, originalSize);
    if (out.length === 0) return;
    const sourceOptions = { dtype: 'source', signal } as const;
    if (out.length === originalSize && this.#wantsWorkers()) {
      await this.#readInWorkers(sourceOptions, out);
      return;
    }
    const range = coveringRange(this.header, byteStart, byteEnd);
    const [start, end] = [byteLengthOf(dtype, range.start), byteLengthOf(dtype, range.end)];
    const decoder = await this.#decodeAll({ ...sourceOptions, range });
    const exact = start === byteStart && end === byteEnd;
    const target = exact ? out : allocating(() => new Uint8Array(end - start));
    await inTurns(reconstructingInto(target, decoder, sourceOptions), options.signal);
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
    const { implementation, verify, limits, workers } = this.#options;
    const { kernels: _, ...readOptions } = options;
    return reconstructInWorkers(
      workers!,
      { header: this.header, entries: this.#some(), data: await this.#readData(options) },
      { limits, ...readOptions, out, implementation, verify },
    );
  }

  /** A decoder that has all fragments. */
  async #decodeAll(options: HoloTensorReadOptions & RangeOption): Promise<HoloTensorDecoder> {
    const { header } = this;
    const decoder = await this.#createDecoder(options);
    const data = await this.#readData(options);
    const turns = new Turns();
    for (const entry of this.#some()) {
      const stored = data.subarray(entry.offset, entry.offset + entry.compressedSize);
      const fragment = await this.#unpacker.unpack({ header, entry, stored });
      await inTurns(decoder.adding(fragment), options.signal);
      await turns.next(options.signal);
    }
    await inTurns(decoder.settling(), options.signal);
    return decoder;
  }

  #readData(options: AbortOptions): Promise<Uint8Array> {
    const { dataStart } = this.#layout;
    const entries = this.#some();
    const dataLength = endOfFragment(entries.at(-1)!);
    for (const { index, compressedSize } of entries) {
      checkFragmentBytes(this.#limits, index, compressedSize);
    }
    checkLimit(this.#limits, 'totalBytes', dataLength, 'Cannot read the fragments: they are too large');
    return readBytes(this.#source, dataStart, dataLength, options);
  }

  /** The best tensor from these fragments. */
  async readFragments(
    indexes: Iterable<number>,
    options: HoloTensorReadOptions = {},
  ): Promise<Reconstruction> {
    check('indexes', indexes, having<Iterable<number>>(Symbol.iterator, 'an iterable of numbers'));
    const decoder = await this.#createDecoder(options);
    const turns = new Turns();
    for (const index of indexes) {
      await inTurns(decoder.adding(await this.readFragment(index, options)), options.signal);
      await turns.next(options.signal);
    }
    await inTurns(decoder.settling(), options.signal);
    return inTurns(reconstructing(decoder, options, options.out), options.signal);
  }

  /**
   * Reads fragments in order until the cosine similarity with the original is at least `quality`: the true one if
   * the file determines it, otherwise the prediction of its curve. For 1, it reads all fragments; with `partial`,
   * those that are complete.
   */
  async readToQuality(quality: number, options: HoloTensorReadOptions = {}): Promise<Reconstruction> {
    check('quality', quality, QUALITY);
    const decoder = await this.#createDecoder(options);
    const turns = new Turns();
    for (const { index } of this.#some().toSorted((a, b) => a.index - b.index)) {
      await inTurns(decoder.adding(await this.readFragment(index, options)), options.signal);
      if (decoder.usable && !decoder.waits && reachesQuality(decoder, quality)) break;
      await turns.next(options.signal);
    }
    await inTurns(decoder.settling(), options.signal);
    return inTurns(reconstructing(decoder, options, options.out), options.signal);
  }

  /** The complete fragments. @throws TruncatedError if there are none */
  #some(): readonly FragmentIndexEntry[] {
    if (this.#available.length > 0) return this.#available;
    throw new TruncatedError('Cannot decode the tensor: its file ends before the end of the first fragment', {
      offset: this.#source.size,
    });
  }

  /** Closes the source. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }

  async #createDecoder(options: HoloTensorReadOptions & RangeOption): Promise<HoloTensorDecoder> {
    this.#check(options);
    await loadDecodingOf(this.header);
    return new HoloTensorDecoder(this.header, { ...this.#options, ...options });
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
