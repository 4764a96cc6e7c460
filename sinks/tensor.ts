import { type HctTensorOptions, hctTensorStage } from '../operators/hct/tensorStage.js';
import { BaseWritableStream } from '../operators/streamClasses.js';
import type { HctTensor } from '../src/hct/tensorCollector.js';
import type { AbortOptions } from '../src/source.js';

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
    const stage = hctTensorStage(options);
    let resolve!: (tensor: HctTensor) => void;
    let reject!: (reason: unknown) => void;
    const take = async (tensors: AsyncIterable<HctTensor>) => {
      for await (const tensor of tensors) resolve(tensor);
    };
    const run = (step: () => Iterable<HctTensor> | AsyncIterable<HctTensor>): Promise<void> | undefined => {
      try {
        const tensors = step();
        if (Symbol.asyncIterator in tensors) {
          return take(tensors).catch((error) => {
            reject(error);
            throw error;
          });
        }
        // Many small chunks come this way: they must not wait for a turn of the queue each.
        for (const tensor of tensors) resolve(tensor);
        return undefined;
      } catch (error) {
        reject(error);
        throw error;
      }
    };
    super({
      write: (chunk) => run(() => stage.push(chunk)),
      close: () => run(() => stage.flush()),
      abort: (reason) => reject(reason),
    });
    this.tensor = new Promise((settle, fail) => {
      resolve = settle;
      reject = fail;
    });
    // Whoever pipes learns of the error from the pipe; the promise must not report it a second time as unhandled.
    this.tensor.catch(() => {});
  }
}

export interface CollectTensorOptions extends HctTensorOptions, AbortOptions {}

/**
 * The tensor in a stream of the bytes of an HCT file. Aborting `signal` cancels the stream.
 *
 * @example
 * const { body } = await fetch('https://example.org/model/fc1.weight.hct');
 * const { dtype, shape, data } = await collectTensor(body!);
 *
 * @throws TruncatedError, FormatError, ChecksumError, CodecError; LimitError above `maxBytes` (default 1 GiB)
 */
export async function collectTensor(
  stream: ReadableStream<Uint8Array>,
  options: CollectTensorOptions = {},
): Promise<HctTensor> {
  const { signal, ...rest } = options;
  const sink = new TensorSink(rest);
  await stream.pipeTo(sink, signal === undefined ? {} : { signal });
  return sink.tensor;
}
