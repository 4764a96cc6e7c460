import { bitsPerElement } from '../dtype.js';
import { ArgumentError, FormatError } from '../errors.js';
import type { QuantizationMetadata } from '../quantization.js';
import type { AbortOptions, RandomAccessSource } from '../source.js';
import { viewElements } from '../views.js';
import type { BlockTable } from './blockIndex.js';
import type { HctDecodeOptions } from './decoder.js';
import { decompressBlock } from './decompressor.js';
import { blockLength, type HctHeader } from './header.js';
import { type HctLayout, readHctLayout } from './layout.js';
import {
  assertTensorFits,
  DEFAULT_MAX_TENSOR_BYTES,
  type HctTensor,
  type TensorCollectOptions,
} from './tensorCollector.js';
import { type HctTools, loadHctReadTools } from './tools.js';
import { verifyBlock } from './verifier.js';

export interface HctReaderOptions extends HctDecodeOptions, AbortOptions {}
export interface HctReadAllOptions extends TensorCollectOptions, AbortOptions {}

/** Neighbouring blocks are fetched together up to this many compressed bytes: few requests, little memory. */
const FETCH_SIZE = 2 ** 20;

/**
 * Random access to one HCT file, either version. Only the bytes that are needed are read: header and index on
 * opening, then the blocks asked for. Methods may run side by side.
 *
 * @example
 * const reader = await HctReader.open(httpSource('https://example.com/weights.hct'));
 * const rows = await reader.readRows(100, 104);
 */
export class HctReader {
  readonly #source: RandomAccessSource;
  readonly #layout: HctLayout;
  readonly #tools: HctTools;
  readonly #verify: boolean;

  private constructor(source: RandomAccessSource, layout: HctLayout, tools: HctTools, verify: boolean) {
    this.#source = source;
    this.#layout = layout;
    this.#tools = tools;
    this.#verify = verify;
  }

  /** @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError */
  static async open(source: RandomAccessSource, options: HctReaderOptions = {}): Promise<HctReader> {
    const layout = await readHctLayout(source, options);
    const tools = await loadHctReadTools(layout.header.algorithm, options);
    return new HctReader(source, layout, tools, options.verify ?? true);
  }

  get header(): HctHeader {
    return this.#layout.header;
  }

  /** The true shape, whatever the header could hold. */
  get shape(): readonly number[] {
    return this.#layout.shape;
  }

  get name(): string | undefined {
    return this.#layout.name;
  }

  get quantization(): QuantizationMetadata | undefined {
    return this.#layout.quantization;
  }

  get groupScales(): Uint16Array | undefined {
    return this.#layout.groupScales;
  }

  get blocks(): BlockTable {
    return this.#layout.blocks;
  }

  /** The decompressed bytes of block `blockIndex`. */
  async readBlock(blockIndex: number, options: AbortOptions = {}): Promise<Uint8Array> {
    const { blockCount, blockSize } = this.header;
    if (!Number.isInteger(blockIndex) || blockIndex < 0 || blockIndex >= blockCount) {
      throw new ArgumentError('block number', { expected: `0 to ${blockCount - 1}`, actual: blockIndex });
    }
    const start = blockIndex * blockSize;
    return this.read(start, start + blockLength(this.header, blockIndex), options);
  }

  /** Bytes `byteStart` (inclusive) to `byteEnd` (exclusive) of the tensor. */
  async read(byteStart: number, byteEnd: number, options: AbortOptions = {}): Promise<Uint8Array> {
    this.#assertRange(byteStart, byteEnd);
    const out = new Uint8Array(byteEnd - byteStart);
    await this.readInto(out, byteStart, options);
    return out;
  }

  /** Fills `out` with the bytes of the tensor from `byteStart` on. Whole blocks are decoded straight into it. */
  async readInto(out: Uint8Array, byteStart: number, options: AbortOptions = {}): Promise<void> {
    const byteEnd = byteStart + out.length;
    this.#assertRange(byteStart, byteEnd);
    if (out.length === 0) return;
    const { blockSize } = this.header;
    const first = Math.floor(byteStart / blockSize);
    const last = Math.ceil(byteEnd / blockSize);
    await this.#fetchBlocks(first, last, options, (blockIndex, compressed) => {
      const { checksum } = this.blocks.entry(blockIndex);
      const { codec, kernels } = this.#tools;
      if (this.#verify) verifyBlock({ blockIndex, checksum, compressed }, kernels);
      const start = blockIndex * blockSize;
      const length = blockLength(this.header, blockIndex);
      if (start >= byteStart && start + length <= byteEnd) {
        const place = out.subarray(start - byteStart, start - byteStart + length);
        decompressBlock({ blockIndex, compressed }, codec, place);
      } else {
        const block = new Uint8Array(length);
        decompressBlock({ blockIndex, compressed }, codec, block);
        const from = Math.max(byteStart - start, 0);
        out.set(block.subarray(from, byteEnd - start), start + from - byteStart);
      }
    });
  }

  /**
   * Rows `start` (inclusive) to `end` (exclusive) along the first dimension, as a tensor of that shape.
   * @throws ArgumentError for a tensor without dimensions, and where a row of I4 begins within a byte
   */
  async readRows(start: number, end: number, options: AbortOptions = {}): Promise<HctTensor> {
    const [rows, ...rest] = this.shape;
    if (rows === undefined) throw new ArgumentError('a tensor of rank 0 has no rows');
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > rows) {
      throw new ArgumentError('row range', { expected: `within 0 to ${rows}`, actual: `${start} to ${end}` });
    }
    const bitsPerRow = bitsPerElement(this.header.dtype) * rest.reduce((product, n) => product * n, 1);
    if (bitsPerRow % 8 !== 0) {
      throw new ArgumentError('rows of I4 with an odd number of elements do not begin at bytes');
    }
    const bytes = await this.read((start * bitsPerRow) / 8, (end * bitsPerRow) / 8, options);
    return this.#tensor([end - start, ...rest], bytes);
  }

  /** @throws LimitError when the tensor is larger than `maxBytes` */
  async readAll(options: HctReadAllOptions = {}): Promise<HctTensor> {
    const { originalSize } = this.header;
    assertTensorFits(originalSize, options.maxBytes ?? DEFAULT_MAX_TENSOR_BYTES);
    return this.#tensor(this.shape, await this.read(0, originalSize, options));
  }

  /**
   * Reads all blocks and checks those that have a checksum, without decompressing them.
   * @returns how many had one
   * @throws ChecksumError at the first that does not fit
   */
  async validateChecksums(options: AbortOptions = {}): Promise<number> {
    let checked = 0;
    await this.#fetchBlocks(0, this.header.blockCount, options, (blockIndex, compressed) => {
      const { checksum } = this.blocks.entry(blockIndex);
      if (verifyBlock({ blockIndex, checksum, compressed }, this.#tools.kernels)) checked += 1;
    });
    return checked;
  }

  #tensor(shape: readonly number[], bytes: Uint8Array): HctTensor {
    const { name, quantization, groupScales } = this;
    const { dtype } = this.header;
    return { dtype, shape, data: viewElements(dtype, bytes), name, quantization, groupScales };
  }

  #assertRange(byteStart: number, byteEnd: number): void {
    const { originalSize } = this.header;
    const whole = Number.isSafeInteger(byteStart) && Number.isSafeInteger(byteEnd);
    if (!whole || byteStart < 0 || byteEnd < byteStart || byteEnd > originalSize) {
      throw new ArgumentError('byte range', {
        expected: `within 0 to ${originalSize}`,
        actual: `${byteStart} to ${byteEnd}`,
      });
    }
  }

  /** Fetches blocks `first` to `last` (exclusive), several at a time, and hands them out in order. */
  async #fetchBlocks(
    first: number,
    last: number,
    { signal }: AbortOptions,
    handle: (blockIndex: number, compressed: Uint8Array) => void,
  ): Promise<void> {
    for (let next = first; next < last; ) {
      signal?.throwIfAborted();
      const from = next;
      const start = this.blocks.entry(from).offset;
      let end = start;
      while (next < last) {
        const { offset, compressedSize } = this.blocks.entry(next);
        if (next > from && offset + compressedSize - start > FETCH_SIZE) break;
        end = offset + compressedSize;
        next += 1;
      }
      const bytes = await this.#source.read(this.#layout.blocksOffset + start, end - start, { signal });
      if (bytes.length !== end - start) {
        throw new FormatError('source returned another length than asked', {
          expected: end - start,
          actual: bytes.length,
        });
      }
      for (let i = from; i < next; i++) {
        const { offset, compressedSize } = this.blocks.entry(i);
        handle(i, bytes.subarray(offset - start, offset - start + compressedSize));
      }
    }
  }
}
