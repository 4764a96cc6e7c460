import type { OperatorFunction } from 'rxjs';
import { stageOperator } from '../stageOperator.js';
import { StageStream } from '../stageStream.js';
import { type HctBytesOptions, hctBytesStage } from './bytesStage.js';

/**
 * The bytes of an HCT file in, the bytes of its tensor out, verified, a block at a time. All stages in one, without
 * queues between them.
 *
 * @example
 * const { body } = await fetch('https://example.org/model/fc1.weight.hct');
 * for await (const bytes of body!.pipeThrough(new HctDecoderStream())) console.log(bytes.length);
 */
export class HctDecoderStream extends StageStream<Uint8Array, Uint8Array> {
  constructor(options?: HctBytesOptions) {
    super(() => hctBytesStage(options));
  }
}

/** The same as {@link HctDecoderStream} as an RxJS operator. */
export function decodeHct(options?: HctBytesOptions): OperatorFunction<Uint8Array, Uint8Array> {
  return stageOperator(() => hctBytesStage(options));
}
