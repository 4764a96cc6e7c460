import type { HctTensor } from '../src/hct/tensorCollector.js';
import { type HctTensorOptions, hctTensorStage } from '../src/hct/tensorStage.js';
import type { AbortOptions } from '../src/source.js';

/**
 * Takes the bytes of an HCT file and makes one tensor of them: allocated once, when the header has come, and decoded
 * straight into its place.
 *
 * @example
 * const sink = new TensorSink();
 * await source.stream().pipeTo(sink);
 * const { dtype, shape, data } = await sink.tensor;
 */
export class TensorSink extends WritableStream<Uint8Array> {
  /** Settles when the stream has ended; rejects with what the stream failed with. */
  readonly tensor: Promise<HctTensor>;

  constructor(options?: HctTensorOptions) {
    const stage = hctTensorStage(options);
    let resolve!: (tensor: HctTensor) => void;
    let reject!: (reason: unknown) => void;
    const take = async (tensors: Iterable<HctTensor> | AsyncIterable<HctTensor>) => {
      try {
        for await (const tensor of tensors) resolve(tensor);
      } catch (error) {
        reject(error);
        throw error;
      }
    };
    super({
      write: (chunk) => take(stage.push(chunk)),
      close: () => take(stage.flush()),
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
 * const { body } = await fetch('weights.hct');
 * const { dtype, shape, data } = await collectTensor(body);
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
