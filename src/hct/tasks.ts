import { localCopies } from '../bytes/localCopies.js';
import { uncleared } from '../bytes/room.js';
import type { TaskResult } from '../bytes/sharedMemory.js';
import type { CompressionAlgorithm, Implementation } from '../codecs/codec.js';
import type { BlockOfRun } from './blockRun.js';
import { loadBlockDecoder } from './decodeBlock.js';

/** The task of workers with blocks. */

/** The input of `decodeBlockRun`. */
export interface BlockRun {
  readonly algorithm: CompressionAlgorithm;
  readonly implementation: Implementation | undefined;
  readonly verify: boolean;
  readonly compressed: Uint8Array;
  readonly blocks: readonly BlockOfRun[];
  /** Bytes of the tensor that they hold, all together. */
  readonly byteLength: number;
  /** Where the decoded bytes go, shared memory or not. Default: a new array. */
  readonly out?: Uint8Array | undefined;
}

/**
 * Task: the blocks of a run, verified and decompressed, one after another.
 * @throws ChecksumError, CodecError
 */
export async function decodeBlockRun(run: BlockRun): Promise<TaskResult<Uint8Array>> {
  const decode = await loadBlockDecoder({ algorithm: run.algorithm, blockSize: run.byteLength }, run);
  const [local] = localCopies([run.compressed]);
  const output = run.out ?? uncleared(run.byteLength);
  let at = 0;
  for (const { blockIndex, offset, compressedSize, byteLength, checksum } of run.blocks) {
    const compressed = local!.subarray(offset, offset + compressedSize);
    decode({ blockIndex, checksum, compressed }, output.subarray(at, at + byteLength));
    at += byteLength;
  }
  return { output, transfer: [output.buffer] };
}
