import type { HctDecodeOptions } from '../../src/hct/decodeBlock.js';
import { decodedBytes, HctDecoder } from '../../src/hct/decoder.js';
import type { Stage } from '../../src/stage.js';
import { poolOf, type WorkersOption } from '../../workers/pool.js';
import { type HctRunHandler, HctWorkerDecoder } from './workerDecoder.js';

export interface HctBytesOptions extends HctDecodeOptions, WorkersOption {}

const BYTES: HctRunHandler<Uint8Array> = {
  part: decodedBytes,
  decoded: (bytes) => [bytes],
  copies: false,
};

/** The bytes of an HCT file in, the bytes of its tensor out, verified. */
export function hctBytesStage(options: HctBytesOptions = {}): Stage<Uint8Array, Uint8Array> {
  const pool = poolOf(options.workers);
  return pool === undefined
    ? new HctDecoder(decodedBytes, options)
    : new HctWorkerDecoder(pool, BYTES, options);
}
