import { concatenate } from '../src/bytes/binary.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { checkOptions, oneOf, type Rules } from '../src/checks/options.js';
import {
  COMPRESS_RULES,
  COMPRESSION_ALGORITHMS,
  type CompressionAlgorithm,
  type CompressOptions,
  IMPLEMENTATION,
  type Implementation,
} from '../src/codecs/codec.js';
import { loadCodec } from '../src/codecs/loadCodec.js';
import type { HoloFragment } from '../src/holotensor/fragment.js';
import type { HoloTensorHeader } from '../src/holotensor/header.js';
import { packHoloTensor } from '../src/holotensor/pack.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { assertSink, discard, type SeekableSink, SINK_BATCH_SIZE } from '../src/source.js';

export interface HoloTensorWriterOptions extends CompressOptions, AbortOptions {
  /** Compresses the fragments that it makes smaller. Default 'zstd', which other readers of the format know, too. */
  readonly compression?: CompressionAlgorithm | 'none' | undefined;
  /** Which implementation of the codec to use. Default 'auto': the fastest that the engine offers. */
  readonly implementation?: Implementation | undefined;
}

export const HOLO_WRITER_RULES: Rules<HoloTensorWriterOptions> = {
  ...COMPRESS_RULES,
  ...ABORT_RULES,
  compression: /* @__PURE__ */ oneOf(['none', ...COMPRESSION_ALGORITHMS]),
  implementation: IMPLEMENTATION,
};

/**
 * Writes one tensor's fragments as a file.
 *
 * @example
 * const weights = new Float32Array(64 * 48).map(() => Math.random() - 0.5);
 * const { header, fragments } = new HoloTensorEncoder('spectral').encode(weights, [64, 48]);
 * await new HoloTensorWriter(await fileSink('weights.holo')).write(header, fragments);
 */
export class HoloTensorWriter {
  readonly #sink: SeekableSink;
  readonly #options: HoloTensorWriterOptions;

  /** @throws ArgumentError if `sink` is not a sink */
  constructor(sink: SeekableSink, options: HoloTensorWriterOptions = {}) {
    assertSink(sink);
    this.#sink = sink;
    this.#options = checkOptions(options, HOLO_WRITER_RULES);
  }

  /**
   * Writes the whole file and makes it final; after an error nothing of it remains. The order of the fragments is the
   * order in which they are stored, and so the one in which a stream of the file will bring them.
   * @returns size of the file in bytes
   * @throws LimitError when the fragments take more than 4 GiB; ArgumentError when they are not those of the header
   */
  async write(header: HoloTensorHeader, fragments: readonly HoloFragment[]): Promise<number> {
    try {
      return await this.#write(header, fragments);
    } catch (error) {
      await discard(this.#sink, error);
      throw error;
    }
  }

  async #write(header: HoloTensorHeader, fragments: readonly HoloFragment[]): Promise<number> {
    const { compression = 'zstd', signal, level } = this.#options;
    signal?.throwIfAborted();
    const codec = compression === 'none' ? undefined : await loadCodec(compression, this.#options);
    const kernels = await loadKernels(['xxh3']);
    let position = 0;
    for (const bytes of batched(packHoloTensor(header, fragments, { codec, kernels, level }))) {
      signal?.throwIfAborted();
      await this.#sink.write(bytes, position);
      position += bytes.length;
    }
    await this.#sink.close();
    return position;
  }
}

/** The same bytes in pieces of at least the batch's size, as far as there are enough. */
function* batched(pieces: Iterable<Uint8Array>): Iterable<Uint8Array> {
  let batch: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    batch.push(piece);
    size += piece.length;
    if (size < SINK_BATCH_SIZE) continue;
    yield concatenate(batch);
    batch = [];
    size = 0;
  }
  if (size > 0) yield concatenate(batch);
}
