import { type HctTensorOptions, hctTensorStage, TENSOR_RULES } from '../operators/hctStages.js';
import { type Consumer, StageRun } from '../operators/stageRun.js';
import { BaseWritableStream } from '../operators/streamClasses.js';
import { onAbort } from '../platform/abort.js';
import type { ByteStreamLike } from '../platform/byteReader.js';
import { eachChunk } from '../platform/eachChunk.js';
import { nextTurn } from '../src/async/steps.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { checkOptions, type Rules } from '../src/checks/options.js';
import type { HctTensor } from '../src/hct/tensorCollector.js';
import { type ResultWork, withResult } from './result.js';

/**
 * Takes the bytes of an HCT file and makes one tensor of them: allocated once, when the header has come, and decoded
 * straight into its place.
 *
 * @example
 * const sink = new TensorSink();
 * await httpSource('https://example.org/model/fc1.weight.hct').stream().pipeTo(sink);
 * const { dtype, shape, data } = await sink.tensor;
 */
export class TensorSink extends BaseWritableStream<Uint8Array> {
  /** Settles when the stream has ended; rejects with what the stream failed with. */
  readonly tensor: Promise<HctTensor>;

  constructor(options?: HctTensorOptions) {
    const { sink, result } = withResult(new TensorWork(options));
    super(sink);
    this.tensor = result;
  }
}

/** The stage at work: its only output is the tensor. */
class TensorWork implements ResultWork<HctTensor>, Consumer<HctTensor> {
  readonly asks = true;
  closed = false;
  readonly #run: StageRun<Uint8Array, HctTensor>;
  #interrupted = false;
  #tensor: HctTensor | undefined;

  constructor(options: HctTensorOptions | undefined) {
    this.#run = new StageRun(hctTensorStage(options), this);
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.closed) return undefined;
    const pushed = this.#run.push(chunk);
    // Where all chunks are in memory, nothing else would let other tasks in.
    return pushed === undefined ? nextTurn() : this.#written(pushed);
  }

  async #written(pushed: Promise<void>): Promise<void> {
    try {
      await pushed;
    } catch (error) {
      // A pipe whose write fails while it aborts leaves its input locked and not cancelled, in Node at least.
      if (!this.#interrupted) throw error;
    }
    await nextTurn();
  }

  async close(): Promise<HctTensor> {
    await this.#run.flush();
    this.complete();
    return this.#tensor!;
  }

  abort(): undefined {
    this.complete();
  }

  interrupt(): void {
    this.#interrupted = true;
    this.complete();
  }

  async demand(): Promise<void> {}

  next(tensor: HctTensor): void {
    this.#tensor = tensor;
  }

  complete(): void {
    if (this.closed) return;
    this.closed = true;
    this.#run.close();
  }
}

export interface CollectTensorOptions extends HctTensorOptions, AbortOptions {}

const RULES: Rules<CollectTensorOptions> = { ...TENSOR_RULES, ...ABORT_RULES };

/**
 * The tensor of an HCT file, from anything that gives its bytes in order: a stream, a response, a blob, a source, an
 * iterable, bytes in memory (see {@link ByteStreamLike}). Aborting `signal` cancels the stream.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * const { dtype, shape, data } = await collectTensor(response);
 *
 * @throws SourceError for a response that is an error or has no body, and for a body that is null; TruncatedError,
 * FormatError, ChecksumError, CodecError; LimitError, see `limits`
 */
export async function collectTensor(
  input: ByteStreamLike,
  options: CollectTensorOptions = {},
): Promise<HctTensor> {
  const { signal, ...rest } = checkOptions(options, RULES);
  const work = new TensorWork(rest);
  // A chunk that a worker decodes is waited for.
  const release = signal && !signal.aborted && onAbort(signal, () => work.interrupt());
  try {
    await eachChunk(input, (chunk) => work.write(chunk), signal);
    const tensor = await work.close();
    // What was interrupted at its end has no tensor.
    signal?.throwIfAborted();
    return tensor;
  } catch (error) {
    work.abort();
    signal?.throwIfAborted();
    throw error;
  } finally {
    if (release) release();
  }
}
