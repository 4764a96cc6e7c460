import type { HctDecodeOptions } from '../src/hct/decodeBlock.js';
import type { HctHeader } from '../src/hct/header.js';
import type { BlockRun } from '../src/hct/tasks.js';
import type { WorkerPool } from '../workers/pool.js';

/** Blocks that follow each other in a file, and their bytes. */
export interface CompressedRun extends Pick<BlockRun, 'blocks' | 'byteLength' | 'compressed'> {
  /** `compressed` is memory of the pool, which gets it back. Otherwise the pool copies it where it must. */
  readonly pooled: boolean;
}

/** Verifies and decompresses runs of the blocks of one file in the workers of a pool. */
export class HctRunDecoder {
  readonly #pool: WorkerPool;
  readonly #common: Pick<BlockRun, 'algorithm' | 'implementation' | 'verify'>;

  constructor(
    pool: WorkerPool,
    { algorithm }: HctHeader,
    { implementation, verify = true }: HctDecodeOptions,
  ) {
    this.#pool = pool;
    this.#common = { algorithm, implementation, verify };
  }

  /**
   * The bytes of the tensor that a run holds.
   * @param out where they go: an array (a copy of it comes back unless it is shared memory), or memory of the pool,
   *   to be given back to it. Default: a new array
   * @throws ChecksumError, CodecError, WorkerError; the signal's reason
   */
  decode(
    { blocks, byteLength, compressed, pooled }: CompressedRun,
    out: Uint8Array | 'pooled' | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    return this.#pool.runPrepared(
      'decodeBlockRun',
      (buffers) => {
        const input = pooled ? compressed : buffers.copy(compressed);
        const target = out === 'pooled' ? buffers.take(byteLength) : out;
        return {
          input: { ...this.#common, blocks, byteLength, compressed: input, out: target },
          transfer: target === undefined ? [] : [target.buffer],
          borrowed: pooled || input !== compressed ? [input.buffer] : [],
        };
      },
      { signal },
    );
  }
}
