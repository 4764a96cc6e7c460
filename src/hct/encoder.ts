import { asBytes, type BytesLike } from '../bytes/binary.js';
import { checkOptions, type Rules } from '../checks/options.js';
import { COMPRESS_RULES, type Codec } from '../codecs/codec.js';
import { ArgumentError, LimitError, TruncatedError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Stage, StageFactory } from '../stage.js';
import { serializeQuantizationMetadata } from '../tensor/serializeQuantization.js';
import { viewBytes } from '../tensor/tensor.js';
import { BLOCK_INDEX_SIZE, BLOCK_INDEX_V2_SIZE } from './blockIndex.js';
import { FLAG_BLOCK_CHECKSUMS, HCT_MAX_BLOCK_BYTES } from './constants.js';
import { type HctExtension, hasExtension, quantizationChecksum } from './extension.js';
import { blockLength, type HctHeader, hasShapeInExtension } from './header.js';
import { HCT_FILE_RULES, type HctFileOptions, planHctHeader } from './plan.js';
import { serializeHctExtension, serializeHctHeader } from './serialize.js';
import {
  type HctTools,
  IMPLEMENTATION_RULES,
  type ImplementationOptions,
  loadHctWriteTools,
} from './tools.js';

export interface HctEncodeOptions extends HctFileOptions, ImplementationOptions {
  /** Zstd level, 1 to 19. Default 3. */
  readonly level?: number | undefined;
}

export const HCT_ENCODE_RULES: Rules<HctEncodeOptions> = {
  ...HCT_FILE_RULES,
  ...COMPRESS_RULES,
  ...IMPLEMENTATION_RULES,
};

/** What is before and after the blocks, known once the last of them is. */
export interface HctFrame {
  /** Header, quantization metadata and index: `HctBlockEncoder.headSize` bytes. */
  readonly head: Uint8Array;
  /** Scales and extension section; often empty. */
  readonly tail: Uint8Array;
}

/** The tensor's bytes, cut anywhere, in; compressed blocks out; at the end, the bytes around them. */
export class HctBlockEncoder {
  /** Bytes before the first block. */
  readonly headSize: number;
  readonly #options: HctEncodeOptions;
  readonly #codec: Codec;
  readonly #kernels: Pick<Kernels, 'xxh3'>;
  readonly #header: HctHeader;
  readonly #metadata: Uint8Array;
  readonly #index: DataView;
  readonly #entrySize: number;
  /** The block being filled, if it spans chunks. */
  #partial: Uint8Array | undefined;
  #filled = 0;
  #blockIndex = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(options: HctEncodeOptions, { codec, kernels }: HctTools<Codec>) {
    this.#options = options;
    this.#codec = codec;
    this.#kernels = kernels;
    this.#header = planHctHeader(options);
    const { flags, blockCount } = this.#header;
    // Without block checksums the reference reads 8-byte entries (and writes 16-byte ones that it cannot read).
    this.#entrySize = (flags & FLAG_BLOCK_CHECKSUMS) !== 0 ? BLOCK_INDEX_V2_SIZE : BLOCK_INDEX_SIZE;
    this.#index = new DataView(new ArrayBuffer(this.#entrySize * blockCount));
    this.#metadata =
      options.quantization === undefined
        ? new Uint8Array(0)
        : serializeQuantizationMetadata(options.quantization);
    this.headSize = serializeHctHeader(this.#header).length + this.#metadata.length + this.#index.byteLength;
  }

  /** The header so far: `compressedSize` counts the blocks that have been encoded. */
  get header(): HctHeader {
    return { ...this.#header, compressedSize: this.#bytesOut };
  }

  /** @throws ArgumentError when there are more bytes than the shape holds; LimitError beyond 4 GiB of blocks */
  *push(chunk: Uint8Array): Iterable<Uint8Array> {
    const { originalSize } = this.#header;
    this.#bytesIn += chunk.length;
    if (this.#bytesIn > originalSize) {
      throw new ArgumentError('Cannot write the HCT file: more bytes than its shape holds', {
        expected: originalSize,
        actual: this.#bytesIn,
      });
    }
    for (let at = 0; at < chunk.length; ) {
      const length = blockLength(this.#header, this.#blockIndex);
      const part = chunk.subarray(at, at + length - this.#filled);
      at += part.length;
      if (part.length === length) {
        yield this.#encode(part);
        continue;
      }
      this.#partial ??= new Uint8Array(length);
      this.#partial.set(part, this.#filled);
      this.#filled += part.length;
      if (this.#filled < length) return;
      const block = this.#partial.subarray(0, length);
      this.#filled = 0;
      yield this.#encode(block);
    }
  }

  /** @throws TruncatedError when bytes are missing */
  finish(): HctFrame {
    const { originalSize } = this.#header;
    if (this.#bytesIn < originalSize) {
      throw new TruncatedError('Cannot finish the HCT file: fewer bytes than its shape holds', {
        expected: originalSize,
        actual: this.#bytesIn,
      });
    }
    const head = new Uint8Array(this.headSize);
    const header = serializeHctHeader(this.header);
    head.set(header);
    head.set(this.#metadata, header.length);
    head.set(new Uint8Array(this.#index.buffer), header.length + this.#metadata.length);
    return { head, tail: this.#tail() };
  }

  #encode(block: Uint8Array): Uint8Array {
    const compressed = this.#codec.compress(block, { level: this.#options.level });
    if (this.#bytesOut + compressed.length > HCT_MAX_BLOCK_BYTES) {
      throw new LimitError('Cannot write the HCT file: its blocks take too many bytes', {
        blockIndex: this.#blockIndex,
        expected: `at most ${HCT_MAX_BLOCK_BYTES} bytes (4 GiB, block offsets are 32 bits wide)`,
        actual: this.#bytesOut + compressed.length,
      });
    }
    const at = this.#blockIndex * this.#entrySize;
    this.#index.setUint32(at, this.#bytesOut, true);
    this.#index.setUint32(at + 4, compressed.length, true);
    if (this.#entrySize === BLOCK_INDEX_V2_SIZE) {
      this.#index.setBigUint64(at + 8, this.#kernels.xxh3(compressed), true);
    }
    this.#blockIndex += 1;
    this.#bytesOut += compressed.length;
    return compressed;
  }

  #tail(): Uint8Array {
    const { name, shape, quantization, groupScales } = this.#options;
    const scales = groupScales === undefined ? new Uint8Array(0) : viewBytes(groupScales);
    const shapeBehind = hasShapeInExtension(this.#header);
    if (!hasExtension(this.#header)) return scales;
    const extension: HctExtension = {
      ...(name === undefined ? {} : { name }),
      ...(shapeBehind ? { shape } : {}),
      ...(quantization === undefined
        ? {}
        : { quantization: quantizationChecksum(quantization, groupScales, this.#kernels.xxh3) }),
    };
    const section = serializeHctExtension(extension);
    const tail = new Uint8Array(scales.length + section.length);
    tail.set(scales);
    tail.set(section, scales.length);
    return tail;
  }
}

/**
 * A tensor's bytes in, a file's bytes out, for a consumer that cannot seek: the index precedes the blocks and
 * is known after the last one, so the compressed blocks wait in memory. `HctWriter` needs no such memory.
 */
export class HctStreamEncoder implements Stage<BytesLike, Uint8Array> {
  readonly #encoder: HctBlockEncoder;
  readonly #blocks: Uint8Array[] = [];

  private constructor(encoder: HctBlockEncoder) {
    this.#encoder = encoder;
  }

  /** @throws ArgumentError, UnsupportedError, LimitError when no such file can be written */
  static factory(options: HctEncodeOptions): StageFactory<BytesLike, Uint8Array> {
    checkOptions(options, HCT_ENCODE_RULES);
    planHctHeader(options);
    return async () => {
      const tools = await loadHctWriteTools(options.algorithm ?? 'lz4', options);
      return new HctStreamEncoder(new HctBlockEncoder(options, tools));
    };
  }

  push(chunk: BytesLike): Iterable<Uint8Array> {
    const bytes = asBytes(chunk);
    for (const block of this.#encoder.push(bytes)) this.#blocks.push(block);
    return [];
  }

  *flush(): Iterable<Uint8Array> {
    const { head, tail } = this.#encoder.finish();
    yield head;
    yield* this.#blocks;
    if (tail.length > 0) yield tail;
  }
}
