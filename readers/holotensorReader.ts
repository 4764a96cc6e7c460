import { loadDecodings } from '../src/encodings/decodings.js';
import { ArgumentError } from '../src/errors.js';
import type { HoloLimits } from '../src/holotensor/constants.js';
import { HoloTensorDecoder, type HoloTensorDecoderOptions } from '../src/holotensor/decoder.js';
import type { ReceivedFragment } from '../src/holotensor/fragment.js';
import { assertFragmentFits, type FragmentIndexEntry } from '../src/holotensor/fragmentIndex.js';
import type { HoloTensorHeader } from '../src/holotensor/header.js';
import { type HoloTensorLayout, parseHoloTensorStart } from '../src/holotensor/layout.js';
import { reachesQuality } from '../src/holotensor/quality.js';
import {
  type Reconstruction,
  type ReconstructionOptions,
  reconstructionOf,
} from '../src/holotensor/reconstruction.js';
import { FragmentUnpacker, type UnpackOptions } from '../src/holotensor/unpack.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import type { AbortOptions, RandomAccessSource } from '../src/source.js';
import type { WorkerPool, WorkersOption } from '../workers/pool.js';
import { MIN_WORKER_BYTES } from '../workers/task.js';
import { readGrammar } from './readGrammar.js';

export interface HoloTensorReaderOptions extends UnpackOptions, WorkersOption {}

export type HoloTensorReadOptions = HoloTensorDecoderOptions &
  ReconstructionOptions &
  AbortOptions & {
    /**
     * For dtype 'F32': where the numbers go, one place an element. Default: a new array. To shared memory, workers
     * write by themselves, and after an abort perhaps a moment longer.
     */
    readonly out?: Float32Array | undefined;
  };

/**
 * Random access to one HoloTensor file. Only the bytes that are needed are read: header and index on opening, then
 * the fragments asked for. Methods may run side by side.
 *
 * @example
 * const reader = await HoloTensorReader.open(httpSource('https://example.org/model/fc1.weight.holo'));
 * const { data, quality } = await reader.readToQuality(0.99);
 */
export class HoloTensorReader {
  readonly #source: RandomAccessSource;
  readonly #layout: HoloTensorLayout;
  readonly #byIndex: readonly FragmentIndexEntry[];
  readonly #unpacker: FragmentUnpacker;
  readonly #options: HoloTensorReaderOptions;

  private constructor(
    source: RandomAccessSource,
    layout: HoloTensorLayout,
    kernels: Kernels<'xxh3'>,
    options: HoloTensorReaderOptions,
  ) {
    this.#source = source;
    this.#layout = layout;
    this.#byIndex = layout.entries.toSorted((a, b) => a.index - b.index);
    this.#unpacker = new FragmentUnpacker(kernels, options);
    this.#options = options;
  }

  /** @throws TruncatedError, FormatError, ChecksumError, UnsupportedError */
  static async open(
    source: RandomAccessSource,
    options: HoloTensorReaderOptions & AbortOptions = {},
  ): Promise<HoloTensorReader> {
    const [layout, kernels] = await Promise.all([
      readGrammar('HoloTensor', parseHoloTensorStart, source, 0, options),
      loadKernels(['xxh3']),
    ]);
    return new HoloTensorReader(source, layout, kernels, options);
  }

  get header(): HoloTensorHeader {
    return this.#layout.header;
  }

  /** Where each fragment is and how it is stored, in the order in which they are stored. */
  get entries(): readonly FragmentIndexEntry[] {
    return this.#layout.entries;
  }

  /** Bytes in front of the first fragment. */
  get dataStart(): number {
    return this.#layout.dataStart;
  }

  /** @throws ArgumentError, TruncatedError, ChecksumError, CodecError, LimitError */
  async readFragment(index: number, options: AbortOptions & HoloLimits = {}): Promise<ReceivedFragment> {
    const entry = this.#byIndex[index];
    if (entry === undefined) {
      throw new ArgumentError('no such fragment', {
        expected: `0 to ${this.entries.length - 1}`,
        actual: index,
      });
    }
    const limits = { ...this.#options, ...options };
    assertFragmentFits(index, entry.compressedSize, limits);
    const { dataStart, header } = this.#layout;
    const stored = await this.#source.read(dataStart + entry.offset, entry.compressedSize, options);
    return this.#unpacker.unpack({ header, entry, stored }, limits);
  }

  /**
   * The whole tensor, in one read. With workers, one of them decodes it, or several a large one whose encoding allows
   * that.
   */
  async readAll(options: HoloTensorReadOptions = {}): Promise<Reconstruction> {
    const { dataStart, dataLength, header } = this.#layout;
    const { workers } = this.#options;
    if (workers && options.kernels === undefined && header.originalSize >= MIN_WORKER_BYTES.reconstruction) {
      return this.#readInWorkers(workers, options);
    }
    const decoder = await this.#createDecoder(options);
    const limits = { ...this.#options, ...options };
    const data = await this.#source.read(dataStart, dataLength, options);
    for (const entry of this.entries) {
      const stored = data.subarray(entry.offset, entry.offset + entry.compressedSize);
      decoder.addFragment(await this.#unpacker.unpack({ header, entry, stored }, limits));
    }
    return reconstructionOf(decoder, options, options.out);
  }

  async #readInWorkers(
    workers: number | WorkerPool,
    options: HoloTensorReadOptions,
  ): Promise<Reconstruction> {
    // Loaded on demand: most pages decode without workers.
    const { reconstructInWorkers } = await import('./reconstructInWorkers.js');
    const { dataStart, dataLength, header } = this.#layout;
    const { implementation, verify, maxBytes } = this.#options;
    const { kernels: _, ...readOptions } = options;
    const data = await this.#source.read(dataStart, dataLength, options);
    return reconstructInWorkers(
      workers,
      { header, entries: this.entries, data },
      { maxBytes, ...readOptions, implementation, verify },
    );
  }

  /** The best tensor that these fragments allow. */
  async readFragments(
    indexes: Iterable<number>,
    options: HoloTensorReadOptions = {},
  ): Promise<Reconstruction> {
    const decoder = await this.#createDecoder(options);
    for (const index of indexes) decoder.addFragment(await this.readFragment(index, options));
    return reconstructionOf(decoder, options, options.out);
  }

  /**
   * Reads fragments in order until the cosine similarity with the original is at least `quality`: the true one where
   * the file allows to know it, else the one that its curve predicts. All of them for 1, or if that is what it takes.
   */
  async readToQuality(quality: number, options: HoloTensorReadOptions = {}): Promise<Reconstruction> {
    const decoder = await this.#createDecoder(options);
    for (let index = 0; index < decoder.total; index++) {
      decoder.addFragment(await this.readFragment(index, options));
      if (reachesQuality(decoder, quality)) break;
    }
    return reconstructionOf(decoder, options, options.out);
  }

  /** Closes the source. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }

  async #createDecoder(options: HoloTensorReadOptions): Promise<HoloTensorDecoder> {
    await loadDecodings([this.header.encoding]);
    return new HoloTensorDecoder(this.header, { ...this.#options, ...options });
  }
}
