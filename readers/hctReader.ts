import { isShared } from '../src/bytes/sharedMemory.js';
import type { Implementation } from '../src/codecs/codec.js';
import { ArgumentError, FormatError } from '../src/errors.js';
import type { BlockTable } from '../src/hct/blockIndex.js';
import { type BlockOfRun, type BlockRun, decodedBytesOf } from '../src/hct/blockRun.js';
import {
  blockDecoder,
  type DecodeBlock,
  type HctDecodeOptions,
  verifyBlock,
} from '../src/hct/decodeBlock.js';
import { blockLength, type HctHeader } from '../src/hct/header.js';
import type { HctTensor, TensorCollectOptions } from '../src/hct/tensorCollector.js';
import { type HctTools, loadHctReadTools } from '../src/hct/tools.js';
import type { AbortOptions, RandomAccessSource } from '../src/source.js';
import { bitsPerElement, elementCount } from '../src/tensor/dtype.js';
import type { QuantizationMetadata } from '../src/tensor/quantization.js';
import { assertTensorFits } from '../src/tensor/tensor.js';
import { viewElements } from '../src/tensor/views.js';
import { eachBounded } from '../workers/eachBounded.js';
import { poolOf, type WorkerPool, type WorkersOption } from '../workers/pool.js';
import { MIN_WORKER_BYTES } from '../workers/task.js';
import { type HctLayout, readHctLayout } from './hctLayout.js';

export interface HctReaderOptions extends HctDecodeOptions, AbortOptions, WorkersOption {}
export interface HctReadAllOptions extends TensorCollectOptions, AbortOptions {}

/** Neighbouring blocks are fetched together up to this many compressed bytes: few requests, little memory… */
const FETCH_SIZE = 2 ** 20;
/** …and this many of the tensor, since a worker gives them back in one piece. */
const MAX_RUN_BYTES = 2 ** 24;

/**
 * Random access to one HCT file, either version. Only the bytes that are needed are read: header and index on
 * opening, then the blocks asked for. Methods may run side by side.
 *
 * @example
 * const reader = await HctReader.open(httpSource('https://example.org/model/fc1.weight.hct'));
 * const rows = await reader.readRows(100, 104);
 */
export class HctReader {
  readonly #source: RandomAccessSource;
  readonly #layout: HctLayout;
  readonly #tools: HctTools;
  readonly #decode: DecodeBlock;
  readonly #verify: boolean;
  readonly #implementation: Implementation | undefined;
  readonly #pool: WorkerPool | undefined;

  private constructor(
    source: RandomAccessSource,
    layout: HctLayout,
    tools: HctTools,
    { verify = true, implementation, workers }: HctReaderOptions,
  ) {
    this.#source = source;
    this.#layout = layout;
    this.#tools = tools;
    this.#decode = blockDecoder(tools, verify);
    this.#verify = verify;
    this.#implementation = implementation;
    this.#pool = poolOf(workers);
  }

  /** @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError */
  static async open(source: RandomAccessSource, options: HctReaderOptions = {}): Promise<HctReader> {
    const layout = await readHctLayout(source, options);
    const tools = await loadHctReadTools(layout.header.algorithm, options);
    return new HctReader(source, layout, tools, options);
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

  /**
   * Fills `out` with the bytes of the tensor from `byteStart` on. Whole blocks are decoded straight into it, with workers
   * only if it is shared memory: after an abort, they may write to it a moment longer.
   */
  async readInto(out: Uint8Array, byteStart: number, options: AbortOptions = {}): Promise<void> {
    const byteEnd = byteStart + out.length;
    this.#assertRange(byteStart, byteEnd);
    if (out.length === 0) return;
    const { blockSize } = this.header;
    const runs = this.#fetchRuns(Math.floor(byteStart / blockSize), Math.ceil(byteEnd / blockSize), options);
    if (this.#pool !== undefined && out.length >= MIN_WORKER_BYTES.decompression) {
      await this.#decodeInWorkers(this.#pool, runs, out, byteStart, options);
      return;
    }
    for await (const { compressed: bytes, blocks } of runs) {
      for (const { blockIndex, offset, compressedSize, byteLength, checksum } of blocks) {
        const compressed = bytes.subarray(offset, offset + compressedSize);
        const start = blockIndex * blockSize - byteStart;
        if (start >= 0 && start + byteLength <= out.length) {
          this.#decode({ blockIndex, checksum, compressed }, out.subarray(start, start + byteLength));
        } else {
          const block = new Uint8Array(byteLength);
          this.#decode({ blockIndex, checksum, compressed }, block);
          copyOverlap(block, start, out);
        }
      }
    }
  }

  async #decodeInWorkers(
    pool: WorkerPool,
    runs: AsyncIterable<FetchedRun>,
    out: Uint8Array,
    byteStart: number,
    { signal }: AbortOptions,
  ): Promise<void> {
    const { algorithm, blockSize } = this.header;
    const [implementation, verify] = [this.#implementation, this.#verify];
    await eachBounded(
      runs,
      pool.capacity,
      async ({ compressed: bytes, blocks }, ended) => {
        const start = blocks[0]!.blockIndex * blockSize - byteStart;
        const byteLength = decodedBytesOf(blocks);
        const direct = sharedTarget(out, start, byteLength);
        const decoded = await pool.runPrepared(
          'decodeBlockRun',
          (buffers) => {
            // A copy, because what the source gave may be its own.
            const compressed = buffers.copy(bytes);
            const target = direct ?? buffers.take(byteLength);
            return {
              input: { algorithm, implementation, verify, compressed, blocks, out: target },
              transfer: [target.buffer],
              borrowed: compressed === bytes ? [] : [compressed.buffer],
            };
          },
          { signal: ended },
        );
        if (direct !== undefined) return;
        copyOverlap(decoded, start, out);
        pool.buffers.give([decoded.buffer]);
      },
      signal,
    );
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
    const bitsPerRow = bitsPerElement(this.header.dtype) * elementCount(rest);
    if (bitsPerRow % 8 !== 0) {
      throw new ArgumentError('rows of I4 with an odd number of elements do not begin at bytes');
    }
    const bytes = await this.read((start * bitsPerRow) / 8, (end * bitsPerRow) / 8, options);
    return this.#tensor([end - start, ...rest], bytes);
  }

  /** @throws LimitError when the tensor is larger than `maxBytes` */
  async readAll(options: HctReadAllOptions = {}): Promise<HctTensor> {
    const { originalSize } = this.header;
    assertTensorFits(originalSize, options.maxBytes);
    return this.#tensor(this.shape, await this.read(0, originalSize, options));
  }

  /**
   * Reads all blocks and checks those that have a checksum, without decompressing them.
   * @returns how many had one
   * @throws ChecksumError at the first that does not fit
   */
  async validateChecksums(options: AbortOptions = {}): Promise<number> {
    let checked = 0;
    for await (const { compressed: bytes, blocks } of this.#fetchRuns(0, this.header.blockCount, options)) {
      for (const { blockIndex, offset, compressedSize, checksum } of blocks) {
        const compressed = bytes.subarray(offset, offset + compressedSize);
        if (verifyBlock({ blockIndex, checksum, compressed }, this.#tools.kernels)) checked += 1;
      }
    }
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

  /** Blocks `first` to `last` (exclusive), in order, as many at a time as one request fetches. */
  async *#fetchRuns(first: number, last: number, { signal }: AbortOptions): AsyncIterable<FetchedRun> {
    for (let next = first; next < last; ) {
      signal?.throwIfAborted();
      const start = this.blocks.entry(next).offset;
      let end = start;
      let runBytes = 0;
      const blocks: BlockOfRun[] = [];
      while (next < last) {
        const { offset, compressedSize, checksum } = this.blocks.entry(next);
        const byteLength = blockLength(this.header, next);
        const large = offset + compressedSize - start > FETCH_SIZE || runBytes + byteLength > MAX_RUN_BYTES;
        if (blocks.length > 0 && large) break;
        end = offset + compressedSize;
        runBytes += byteLength;
        blocks.push({ blockIndex: next, offset: offset - start, compressedSize, byteLength, checksum });
        next += 1;
      }
      const compressed = await this.#source.read(this.#layout.blocksOffset + start, end - start, { signal });
      if (compressed.length !== end - start) {
        throw new FormatError('source returned another length than asked', {
          expected: end - start,
          actual: compressed.length,
        });
      }
      yield { compressed, blocks };
    }
  }
}

type FetchedRun = Pick<BlockRun, 'compressed' | 'blocks'>;

/** Where in `out` a worker can write by itself: all of a run, in shared memory. */
function sharedTarget(out: Uint8Array, start: number, byteLength: number): Uint8Array | undefined {
  const within = start >= 0 && start + byteLength <= out.length;
  return within && isShared(out.buffer) ? out.subarray(start, start + byteLength) : undefined;
}

/** Copies what of `bytes`, which begin at `start` of `out` (or before it), lies within `out`. */
function copyOverlap(bytes: Uint8Array, start: number, out: Uint8Array): void {
  const from = Math.max(-start, 0);
  out.set(bytes.subarray(from, out.length - start), start + from);
}
