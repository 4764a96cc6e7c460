import { nextTurn } from '../src/async/steps.js';
import { uncleared } from '../src/bytes/room.js';
import { ABORT_RULES, type AbortOptions, checkAbort } from '../src/checks/abortOptions.js';
import { type AllLimits, allocating, Budget, checkTensorBytes, limitsOf } from '../src/checks/limits.js';
import { check, checkOptions, type Rules, wholeNumber } from '../src/checks/options.js';
import { withPlace } from '../src/errors/placed.js';
import { ArgumentError } from '../src/errors.js';
import type { BlockTable } from '../src/hct/blockIndex.js';
import { type FetchedRun, planRuns } from '../src/hct/blockRun.js';
import { blockDecoder, type DecodeBlock, verifyBlock } from '../src/hct/decodeBlock.js';
import { blockLength, type HctHeader } from '../src/hct/header.js';
import type { HctBlock } from '../src/hct/parts.js';
import type { HctTensor } from '../src/hct/tensorCollector.js';
import type { HctTools } from '../src/hct/tools.js';
import { type RandomAccessSource, sourceName } from '../src/source.js';
import { bitsPerElement, elementCount } from '../src/tensor/dtype.js';
import type { QuantizationMetadata } from '../src/tensor/quantization.js';
import {
  assertWithin,
  checkOutputElements,
  type Float16ArrayLike,
  type TensorData,
  TYPED_ARRAY,
  typedArray,
  viewBytes,
  viewElements,
} from '../src/tensor/tensor.js';
import { MIN_WORKER_BYTES } from '../workers/task.js';
import { type HctLayout, type HctReaderOptions, type OpenedHct, openHct } from './openHct.js';
import { readBytes } from './readGrammar.js';
import { assertRows, copyOverlap, type ReadAllOptions, type TensorReader, within } from './tensorReader.js';

export interface HctReadAllOptions extends ReadAllOptions {
  /**
   * The array to fill, of the type that `TensorData` has for the tensor's dtype (for F16 also a Float16Array); it becomes
   * the `data` of the tensor. Default: a new one. Workers write to shared memory directly, after an abort perhaps a moment longer.
   */
  readonly out?: TensorData | Float16ArrayLike | undefined;
}

/** Type and length of `out` are compared with the tensor's. */
const READ_ALL_RULES: Rules<HctReadAllOptions> = { ...ABORT_RULES, out: TYPED_ARRAY };

/** Neighbouring blocks are fetched together up to this many compressed bytes: few requests, little memory… */
const FETCH_SIZE = 2 ** 20;
/** …and this many of the tensor, because a worker returns them in one piece. */
const MAX_RUN_BYTES = 2 ** 24;
/** Random access to one HCT file over a source: `HctReader` without what opens anything else. */
export class HctSourceReader implements TensorReader {
  readonly #source: RandomAccessSource;
  /** The start of the file, as far as opening has read it. */
  readonly #first: Uint8Array;
  readonly #layout: HctLayout;
  readonly #tools: HctTools;
  readonly #decode: DecodeBlock;
  readonly #options: Omit<HctReaderOptions, 'signal'>;
  readonly #limits: AllLimits;

  protected constructor({ source, first, layout, tools, options }: OpenedHct) {
    this.#source = source;
    this.#first = first;
    this.#layout = layout;
    this.#tools = tools;
    this.#decode = blockDecoder(tools, options.verify);
    const { signal: _, ...others } = options;
    this.#options = others;
    this.#limits = limitsOf(options);
  }

  static async open(source: RandomAccessSource, options: HctReaderOptions = {}): Promise<HctSourceReader> {
    return new HctSourceReader(await openHct(source, options));
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

  /**
   * The decompressed bytes of a block.
   * @throws ArgumentError when the file has no such block
   */
  async readBlock(blockIndex: number, options: AbortOptions = {}): Promise<Uint8Array> {
    const { blockCount, blockSize } = this.header;
    check('blockIndex', blockIndex, wholeNumber(0, blockCount - 1));
    const start = blockIndex * blockSize;
    return this.read(start, start + blockLength(this.header, blockIndex), options);
  }

  /** Bytes `byteStart` (inclusive) to `byteEnd` (exclusive) of the tensor. */
  async read(byteStart: number, byteEnd: number, options: AbortOptions = {}): Promise<Uint8Array> {
    assertWithin('bytes', byteStart, byteEnd, this.header.originalSize);
    const out = uncleared(byteEnd - byteStart);
    await this.readInto(out, byteStart, options);
    return out;
  }

  /**
   * Fills `out` with the bytes of the tensor from `byteStart` on. Whole blocks are decoded straight into it, by
   * workers only if it is shared memory: after an abort, they may write to it a moment longer.
   */
  async readInto(out: Uint8Array, byteStart = 0, options: AbortOptions = {}): Promise<void> {
    checkAbort(options);
    check('out', out, typedArray('Uint8Array'));
    check('byteStart', byteStart, wholeNumber());
    const byteEnd = byteStart + out.length;
    assertWithin('bytes', byteStart, byteEnd, this.header.originalSize);
    if (out.length > 0) await withPlace(this.#place, () => this.#readInto(out, byteStart, options));
  }

  async #readInto(out: Uint8Array, byteStart: number, options: AbortOptions): Promise<void> {
    const byteEnd = byteStart + out.length;
    const { blockSize } = this.header;
    const runs = this.#fetchRuns(Math.floor(byteStart / blockSize), Math.ceil(byteEnd / blockSize), options);
    const { workers } = this.#options;
    if (workers && out.length >= MIN_WORKER_BYTES.decompression) {
      const { decodeRunsInWorkers } = await import('./decodeRunsInWorkers.js');
      await decodeRunsInWorkers(workers, this.header, runs, out, byteStart, { ...this.#options, ...options });
      return;
    }
    for await (const run of runs) {
      for (const block of storedBlocks(run)) {
        const start = block.byteOffset - byteStart;
        const target =
          within(out, start, block.byteLength) ?? allocating(() => new Uint8Array(block.byteLength));
        this.#decode(block, target);
        if (target.buffer !== out.buffer) copyOverlap(target, start, out);
        await nextTurn(options.signal);
      }
    }
  }

  /**
   * Rows `start` (inclusive) to `end` (exclusive) along the first dimension, as a tensor of that shape.
   * @throws ArgumentError for a tensor of rank 0, and for rows of I4 that begin within a byte
   */
  async readRows(start: number, end: number, options: AbortOptions = {}): Promise<HctTensor> {
    assertRows(this.shape, start, end, this.name);
    const rest = this.shape.slice(1);
    const bitsPerRow = bitsPerElement(this.header.dtype) * elementCount(rest);
    if (bitsPerRow % 8 !== 0) {
      throw new ArgumentError(
        'Cannot read rows of the tensor: I4 rows with an odd number of elements do not begin at bytes',
        { name: this.name },
      );
    }
    const bytes = await this.read((start * bitsPerRow) / 8, (end * bitsPerRow) / 8, options);
    return this.#tensor([end - start, ...rest], viewElements(this.header.dtype, bytes));
  }

  /**
   * The whole tensor.
   * @throws LimitError for a tensor that is too large; ArgumentError for an `out` of another type or length
   */
  async readAll(options: HctReadAllOptions = {}): Promise<HctTensor> {
    const { originalSize, dtype } = this.header;
    const { out } = checkOptions(options, READ_ALL_RULES);
    return withPlace(this.#place, async () => {
      checkTensorBytes(this.#limits, originalSize);
      if (out !== undefined) checkOutputElements(out, dtype, originalSize);
      else await this.#payFor(originalSize, options);
      const data = out ?? viewElements(dtype, uncleared(originalSize));
      await this.readInto(viewBytes(data), 0, options);
      return this.#tensor(this.shape, data as TensorData);
    });
  }

  /**
   * Reads all blocks and checks those that have a checksum, without decompressing them.
   * @returns the number of blocks with a checksum
   * @throws ChecksumError at the first mismatch
   */
  async validateChecksums(options: AbortOptions = {}): Promise<number> {
    checkAbort(options);
    return withPlace(this.#place, async () => {
      let checked = 0;
      for await (const run of this.#fetchRuns(0, this.header.blockCount, options)) {
        for (const block of storedBlocks(run)) if (verifyBlock(block, this.#tools.kernels)) checked += 1;
      }
      return checked;
    });
  }

  /** Of its errors. */
  get #place() {
    return { file: sourceName(this.#source), tensor: this.name };
  }

  /** Closes the source. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }

  #tensor(shape: readonly number[], data: TensorData): HctTensor {
    const { name, quantization, groupScales } = this;
    return { dtype: this.header.dtype, shape, data, name, quantization, groupScales };
  }

  /**
   * Reads enough bytes of the blocks to pay for the output, before it is allocated: the index is a claim, and so is the
   * size of a source. The index itself pays for blocks of the default size.
   */
  async #payFor(byteLength: number, options: AbortOptions): Promise<void> {
    const { blocksOffset, header } = this.#layout;
    const missing = (byteLength - new Budget(this.#limits, blocksOffset).most) / this.#limits.ratio;
    if (!(missing > 0)) return;
    const length = Math.min(Math.ceil(missing), header.compressedSize);
    await readBytes(this.#source, blocksOffset, length, options);
  }

  /** Blocks `first` to `last` (exclusive), in order, in runs of one request each. */
  async *#fetchRuns(first: number, last: number, options: AbortOptions): AsyncIterable<FetchedRun> {
    const limits = { maxCompressed: FETCH_SIZE, maxBytes: MAX_RUN_BYTES };
    for (const run of planRuns(this.header, this.blocks, limits, first, last)) {
      options.signal?.throwIfAborted();
      const offset = this.#layout.blocksOffset + run.start;
      const end = this.#layout.blocksOffset + run.end;
      // A copy, because workers may get its memory.
      const isKnown = end <= this.#first.length;
      const compressed = isKnown
        ? this.#first.slice(offset, end)
        : await readBytes(this.#source, offset, end - offset, options);
      const received = this.#layout.blocksOffset + compressed.length;
      new Budget(this.#limits, received).check({ bytes: run.byteLength, steps: 0 });
      yield { ...run, compressed };
    }
  }
}

function* storedBlocks({ blocks, compressed, byteOffset }: FetchedRun): Iterable<Omit<HctBlock, 'kind'>> {
  let at = byteOffset;
  for (const { blockIndex, offset, compressedSize, byteLength, checksum } of blocks) {
    const bytes = compressed.subarray(offset, offset + compressedSize);
    yield { blockIndex, byteOffset: at, byteLength, checksum, compressed: bytes };
    at += byteLength;
  }
}
