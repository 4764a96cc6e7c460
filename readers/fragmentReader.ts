import { inTurns, nextTurn } from '../src/async/steps.js';
import { type AbortOptions, checkAbort } from '../src/checks/abortOptions.js';
import { Budget, checkLimit, limitsOf } from '../src/checks/limits.js';
import { check, wholeNumber } from '../src/checks/options.js';
import { loadDecodingOf } from '../src/encodings/decodings.js';
import { TruncatedError } from '../src/errors.js';
import type { EncodingDecodeOptions, RangeOption } from '../src/holotensor/decodeOptions.js';
import { HoloTensorDecoder } from '../src/holotensor/decoder.js';
import {
  checkFragmentBytes,
  endOfFragment,
  type FragmentIndexEntry,
  type ReceivedFragment,
} from '../src/holotensor/fragment.js';
import type { HoloTensorLayout } from '../src/holotensor/parser.js';
import { type ReconstructionOptions, spareNumbers } from '../src/holotensor/reconstruction.js';
import { FragmentUnpacker } from '../src/holotensor/unpack.js';
import type { RandomAccessSource } from '../src/source.js';
import type { HoloTensorReaderOptions, OpenedHoloTensor } from './openHoloTensor.js';
import { readBytes } from './readGrammar.js';

type DecodeOptions = EncodingDecodeOptions & RangeOption & ReconstructionOptions & AbortOptions;

/** Reads the fragments of an opened file, and gives them to decoders. */
export class FragmentReader {
  readonly layout: HoloTensorLayout;
  /** The fragments that are complete; with `partial`, some may be missing. */
  readonly available: readonly FragmentIndexEntry[];
  readonly #source: RandomAccessSource;
  readonly #byIndex: readonly FragmentIndexEntry[];
  readonly #unpacker: FragmentUnpacker;
  /** For all decoders. */
  readonly #options: HoloTensorReaderOptions;

  constructor({ source, layout, available, kernels, options }: OpenedHoloTensor) {
    this.layout = layout;
    this.available = available;
    this.#source = source;
    this.#byIndex = layout.entries.toSorted((a, b) => a.index - b.index);
    this.#unpacker = new FragmentUnpacker(kernels, options);
    this.#options = options;
  }

  /** @throws TruncatedError if no fragment is complete */
  get some(): readonly FragmentIndexEntry[] {
    if (this.available.length > 0) return this.available;
    throw new TruncatedError('Cannot decode the tensor: its file ends before the end of the first fragment', {
      offset: this.#source.size,
    });
  }

  async read(index: number, options: AbortOptions): Promise<ReceivedFragment> {
    check('fragmentIndex', index, wholeNumber(0, this.#byIndex.length - 1));
    checkAbort(options);
    const entry = this.#byIndex[index]!;
    checkFragmentBytes(limitsOf(this.#options), index, entry.compressedSize);
    const { dataStart, header } = this.layout;
    const stored = await readBytes(this.#source, dataStart + entry.offset, entry.compressedSize, options);
    return this.#unpacker.unpack({ header, entry, stored });
  }

  /** All complete fragments as they are stored, in one read: offsets of entries count from its start. */
  readStored(options: AbortOptions): Promise<Uint8Array> {
    const entries = this.some;
    const dataLength = endOfFragment(entries.at(-1)!);
    for (const { index, compressedSize } of entries) {
      checkFragmentBytes(limitsOf(this.#options), index, compressedSize);
    }
    checkLimit(
      limitsOf(this.#options),
      'totalBytes',
      dataLength,
      'Cannot read the fragments: they are too large',
    );
    return readBytes(this.#source, this.layout.dataStart, dataLength, options);
  }

  /** A decoder that has all complete fragments, from one read. */
  async decodeAll(options: DecodeOptions): Promise<HoloTensorDecoder> {
    const { header } = this.layout;
    const decoder = await this.#createDecoder(options);
    const data = await this.readStored(options);
    for (const entry of this.some) {
      const stored = data.subarray(entry.offset, entry.offset + entry.compressedSize);
      const fragment = await this.#unpacker.unpack({ header, entry, stored });
      await inTurns(decoder.adding(fragment), options.signal);
      await nextTurn(options.signal);
    }
    await inTurns(decoder.settling(), options.signal);
    return decoder;
  }

  /**
   * A decoder that has these fragments, each from a read of its own.
   * @param isEnough whether the others are not needed
   */
  async decode(
    indexes: Iterable<number>,
    options: DecodeOptions,
    isEnough: (decoder: HoloTensorDecoder) => boolean = () => false,
  ): Promise<HoloTensorDecoder> {
    const decoder = await this.#createDecoder(options);
    for (const index of indexes) {
      await inTurns(decoder.adding(await this.read(index, options)), options.signal);
      if (isEnough(decoder)) break;
      await nextTurn(options.signal);
    }
    await inTurns(decoder.settling(), options.signal);
    return decoder;
  }

  async #createDecoder(options: DecodeOptions): Promise<HoloTensorDecoder> {
    const { header } = this.layout;
    await loadDecodingOf(header);
    const budget = new Budget(limitsOf(this.#options));
    const decoder = new HoloTensorDecoder(header, { ...this.#options, ...options }, budget);
    if (options.dtype === 'source') spareNumbers(decoder, budget);
    return decoder;
  }
}
