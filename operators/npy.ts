import type { OperatorFunction } from 'rxjs';
import type { BytesLike } from '../src/bytes/binary.js';
import { NpyEncoder, npyHeader } from '../src/tensor/npy.js';
import { stageOperator } from './stageOperator.js';
import { ByteStageStream } from './stageStream.js';

/**
 * Turns the bytes of a tensor into those of a .npy file. BF16 becomes float32 and I4 becomes int8, see `NpyEncoder`.
 *
 * @example
 * const bytes = viewBytes(Float32Array.of(1, 2, 3, 4, 5, 6));
 * await bytesSource(bytes)
 *   .stream()
 *   .pipeThrough(new NpyEncoderStream('F32', [2, 3]))
 *   .pipeTo(sinkStream(await fileSink('w.npy')));
 *
 * @throws UnsupportedError for a dtype that NumPy has nothing for
 */
export class NpyEncoderStream extends ByteStageStream<BytesLike> {
  constructor(dtype: string, shape: readonly number[]) {
    const encoder = new NpyEncoder(dtype, shape);
    super(() => encoder);
  }
}

/** The same as an RxJS operator. */
export function encodeNpy(dtype: string, shape: readonly number[]): OperatorFunction<BytesLike, Uint8Array> {
  npyHeader(dtype, shape);
  return stageOperator(() => new NpyEncoder(dtype, shape));
}
