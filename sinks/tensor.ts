import { type HctTensorOptions, hctTensorStage, TENSOR_RULES } from '../operators/hctStages.js';
import { type Consumer, StageRun } from '../operators/stageRun.js';
import { BaseWritableStream, ownStream } from '../operators/streamClasses.js';
import { onAbort, withOwnSignal } from '../platform/abort.js';
import type { ByteStreamLike } from '../platform/byteReader.js';
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

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#run.push(chunk);
    } catch (error) {
      // A pipe whose write fails while it aborts leaves its input locked and not cancelled, in Node at least.
      if (!this.#interrupted) throw error;
    }
    // Where all chunks are in memory, nothing else would let other tasks in.
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
  const { sink, result } = withResult(work);
  const stream = ownStream(input);
  await withOwnSignal(signal, async (own) => {
    // `pipeTo` passes an abort on only after a write under way.
    onAbort(own, () => work.interrupt());
    try {
      await stream.pipeTo(new BaseWritableStream(sink), { signal: own });
    } finally {
      // What was interrupted at its end has no tensor.
      own.throwIfAborted();
    }
  });
  return result;
}
