import { localCopies, type TaskResult } from '../bytes/sharedMemory.js';
import type { CompressionAlgorithm, Implementation } from '../codecs/codec.js';
import { loadBlockDecoder } from './decodeBlock.js';

/** Blocks that stand one behind the other in a file, compressed. */
export interface BlockRun {
  readonly algorithm: CompressionAlgorithm;
  readonly implementation: Implementation | undefined;
  readonly verify: boolean;
  readonly compressed: Uint8Array;
  readonly blocks: readonly BlockOfRun[];
  /** Where the decoded bytes go, shared memory or not. Default: a new array. */
  readonly out?: Uint8Array | undefined;
}

export interface BlockOfRun {
  readonly blockIndex: number;
  /** Where it begins in `compressed`, and its bytes there. */
  readonly offset: number;
  readonly compressedSize: number;
  /** Bytes of the tensor that it holds. */
  readonly byteLength: number;
  readonly checksum: bigint;
}

/**
 * Task: the blocks of a run, verified and decompressed, one behind the other.
 * @throws ChecksumError, CodecError
 */
export async function decodeBlockRun(run: BlockRun): Promise<TaskResult<Uint8Array>> {
  const decode = await loadBlockDecoder(run.algorithm, run);
  const [local] = localCopies([run.compressed]);
  const output = run.out ?? new Uint8Array(decodedBytesOf(run.blocks));
  let at = 0;
  for (const { blockIndex, offset, compressedSize, byteLength, checksum } of run.blocks) {
    const compressed = local!.subarray(offset, offset + compressedSize);
    decode({ blockIndex, checksum, compressed }, output.subarray(at, at + byteLength));
    at += byteLength;
  }
  return { output, transfer: [output.buffer] };
}

export function decodedBytesOf(blocks: readonly BlockOfRun[]): number {
  return blocks.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
}
