import type { OperatorFunction } from 'rxjs';
import type { BytesLike } from '../src/bytes/binary.js';
import { LIMIT_RULES, type LimitsOption } from '../src/checks/limits.js';
import { checkOptions } from '../src/checks/options.js';
import { npyHeader } from '../src/npy/header.js';
import { NpyEncoder, NpyParser, type NpyPart } from '../src/npy/stages.js';
import type { StageFactory } from '../src/stage.js';
import { stageOperator } from './stageOperator.js';
import { ByteStageStream, StageStream } from './stageStream.js';

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

/**
 * The same as an RxJS operator.
 *
 * @example
 * const values = fromReadableStream(new Blob([Float32Array.of(1, 2, 3)]));
 * values.pipe(encodeNpy('F32', [3])).subscribe((bytes) => console.log(bytes.length));
 */
export function encodeNpy(dtype: string, shape: readonly number[]): OperatorFunction<BytesLike, Uint8Array> {
  npyHeader(dtype, shape);
  return stageOperator(() => new NpyEncoder(dtype, shape));
}

/**
 * The bytes of a .npy file in; what it says of its array, then the bytes of its elements out, little-endian and row-major.
 * An array in Fortran order comes in one piece.
 *
 * @example
 * const encoded = bytesSource(Float32Array.of(1, 2, 3)).stream().pipeThrough(new NpyEncoderStream('F32', [3]));
 * for await (const part of encoded.pipeThrough(new NpyParserStream())) {
 *   if (part.kind === 'start') console.log(part.dtype, part.shape);
 *   else console.log(part.byteOffset, part.bytes.length);
 * }
 */
export class NpyParserStream extends StageStream<BytesLike, NpyPart> {
  constructor(options?: LimitsOption) {
    super(parser(options));
  }
}

/**
 * The same as an RxJS operator.
 *
 * @example
 * const values = fromReadableStream(new Blob([Float32Array.of(1, 2, 3)]));
 * values.pipe(encodeNpy('F32', [3]), parseNpy()).subscribe((part) => console.log(part.kind));
 */
export function parseNpy(options?: LimitsOption): OperatorFunction<BytesLike, NpyPart> {
  return stageOperator(parser(options));
}

function parser(options: LimitsOption = {}): StageFactory<BytesLike, NpyPart> {
  checkOptions(options, LIMIT_RULES);
  return () => new NpyParser(options);
}
