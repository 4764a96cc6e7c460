import type { OperatorFunction } from 'rxjs';
import { type HctEncodeOptions, HctStreamEncoder } from '../../src/hct/encoder.js';
import { stageOperator } from '../stageOperator.js';
import { StageStream } from '../stageStream.js';

/**
 * The bytes of a tensor in, the bytes of an HCT file out. The index stands in front, so nothing comes out before all
 * has gone in, and the compressed blocks wait in memory; `HctWriter` writes to a file without that.
 */
export class HctEncoderStream extends StageStream<Uint8Array, Uint8Array> {
  constructor(options: HctEncodeOptions) {
    super(() => HctStreamEncoder.create(options));
  }
}

/** The same as {@link HctEncoderStream} as an RxJS operator. */
export function encodeHct(options: HctEncodeOptions): OperatorFunction<Uint8Array, Uint8Array> {
  return stageOperator(() => HctStreamEncoder.create(options));
}
