import { ByteStageStream } from '../operators/stageStream.js';
import { ownStream } from '../operators/streamClasses.js';
import type { SourceInput } from '../platform/byteReader.js';
import { withSource } from '../sources/input.js';
import { inTurns } from '../src/async/steps.js';
import type { ByteQueue } from '../src/bytes/byteQueue.js';
import { GrammarStage } from '../src/bytes/grammar.js';
import { ABORT_RULES, type AbortOptions, checkAbort } from '../src/checks/abortOptions.js';
import {
  type AllLimits,
  checkTensorBytes,
  LIMIT_RULES,
  limitsOf,
  type OpenOptions,
} from '../src/checks/limits.js';
import { checkOptions, type Rules } from '../src/checks/options.js';
import { withPlace } from '../src/errors/placed.js';
import { isTransposed, rowMajor } from '../src/npy/elements.js';
import type { NpyHeader } from '../src/npy/header.js';
import { parseNpyElements } from '../src/npy/stages.js';
import type { SafetensorsDType } from '../src/safetensors/header.js';
import { type RandomAccessSource, sourceName } from '../src/source.js';
import {
  checkOutputElements,
  type Tensor,
  type TensorData,
  TYPED_ARRAY,
  viewBytes,
  viewElements,
} from '../src/tensor/tensor.js';
import { readNpyHeader } from './npyHeader.js';
import { readBytes } from './readGrammar.js';
import { assertRows, type ReadAllOptions } from './tensorReader.js';

const READER_RULES: Rules<OpenOptions> = { ...LIMIT_RULES, ...ABORT_RULES };

/** Type and length of `out` are compared with the array's. */
const READ_ALL_RULES: Rules<ReadAllOptions> = { ...ABORT_RULES, out: TYPED_ARRAY };

/**
 * One array in a file of NumPy (`.npy`): booleans, integers, floating-point numbers of 16, 32 and 64 bits, and complex
 * numbers of 64, in either byte order, row-major or in Fortran order. What is read is little-endian and row-major.
 *
 * @example
 * const sink = memorySink();
 * const bytes = bytesSource(Float32Array.of(1, 2, 3, 4)).stream();
 * await bytes.pipeThrough(new NpyEncoderStream('F32', [2, 2])).pipeTo(sinkStream(sink));
 *
 * const reader = await NpyReader.open(sink.bytes);
 * const { dtype, shape, data } = await reader.readAll();
 */
export class NpyReader {
  readonly header: NpyHeader;
  readonly #source: RandomAccessSource;
  readonly #limits: AllLimits;

  private constructor(source: RandomAccessSource, header: NpyHeader, limits: AllLimits) {
    this.#source = source;
    this.header = header;
    this.#limits = limits;
  }

  /**
   * Reads the header. The reader then owns the source: `close` closes it.
   * @param input a source, or anything that bytes come from: a URL, a path, a File, bytes, a stream (see
   *   {@link SourceInput})
   * @throws TruncatedError, FormatError, LimitError; UnsupportedError for elements that are not numbers (text, objects,
   *   dates, records); SourceError; ArgumentError for an input that gives no bytes
   */
  static async open(input: SourceInput, options: OpenOptions = {}): Promise<NpyReader> {
    checkOptions(options, READER_RULES);
    const limits = limitsOf(options);
    return withSource(
      input,
      async (source) =>
        new NpyReader(
          source,
          await withPlace({ file: sourceName(source) }, () => readNpyHeader(source, limits, options)),
          limits,
        ),
    );
  }

  /** Of its errors. */
  get #place() {
    return { file: sourceName(this.#source) };
  }

  get dtype(): SafetensorsDType {
    return this.header.dtype;
  }

  get shape(): readonly number[] {
    return this.header.shape;
  }

  /**
   * The whole array. If the source returns views of its bytes, as `bytesSource` does, it can share their memory.
   * @throws LimitError when it is larger than the limits of `open` allow; ArgumentError for an `out` of another type or
   *   length
   */
  async readAll(options: ReadAllOptions = {}): Promise<Tensor<SafetensorsDType>> {
    const { out } = checkOptions(options, READ_ALL_RULES);
    const { dtype, shape, byteLength, dataStart } = this.header;
    checkTensorBytes(this.#limits, byteLength, this.#place);
    if (out !== undefined) {
      checkOutputElements(out, dtype, byteLength);
      await this.#fill(viewBytes(out), options);
      return { dtype, shape, data: out as TensorData };
    }
    if (isTransposed(this.header)) {
      // It comes in one piece.
      for await (const bytes of this.#pieces(options))
        return { dtype, shape, data: viewElements(dtype, bytes) };
    }
    return { dtype, shape, data: viewElements(dtype, await this.#inOrder(dataStart, byteLength, options)) };
  }

  /**
   * Rows `start` (inclusive) to `end` (exclusive) along the first dimension, as a tensor of that shape. Of an array in
   * Fortran order, that takes all of it.
   * @throws ArgumentError for an array of rank 0
   */
  async readRows(start: number, end: number, options: AbortOptions = {}): Promise<Tensor<SafetensorsDType>> {
    const { dtype, shape, byteLength, dataStart } = this.header;
    checkAbort(options);
    assertRows(shape, start, end, undefined);
    const rowSize = shape[0] === 0 ? 0 : byteLength / shape[0]!;
    const [from, to] = [start * rowSize, end * rowSize];
    checkTensorBytes(this.#limits, to - from, this.#place);
    const bytes = isTransposed(this.header)
      ? viewBytes((await this.readAll(options)).data).slice(from, to)
      : await this.#inOrder(dataStart + from, to - from, options);
    return { dtype, shape: [end - start, ...shape.slice(1)], data: viewElements(dtype, bytes) };
  }

  /** The bytes of the elements, little-endian and row-major; of an array in Fortran order, in one piece. */
  stream(options: AbortOptions = {}): ReadableStream<Uint8Array> {
    checkAbort(options);
    const { dataStart, byteLength } = this.header;
    const elements = this.#source.stream({ ...options, start: dataStart, end: dataStart + byteLength });
    const parse = (queue: ByteQueue) => parseNpyElements(queue, this.header, this.#limits);
    return ownStream(elements).pipeThrough(new ByteStageStream(() => new GrammarStage('NumPy', parse)));
  }

  /** Closes the source. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }

  /** Elements of an array that is not in Fortran order, little-endian. */
  async #inOrder(offset: number, length: number, options: AbortOptions): Promise<Uint8Array> {
    const bytes = await readBytes(this.#source, offset, length, options);
    return inTurns(rowMajor(this.header, bytes), options.signal);
  }

  async #fill(out: Uint8Array, options: AbortOptions): Promise<void> {
    let filled = 0;
    for await (const bytes of this.#pieces(options)) {
      out.set(bytes, filled);
      filled += bytes.length;
    }
  }

  async *#pieces(options: AbortOptions): AsyncGenerator<Uint8Array, undefined> {
    const reader = this.stream(options).getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } finally {
      await reader.cancel();
    }
  }
}
