import { ChecksumError, CodecError } from '../errors.js';
import type { HctBlock } from './parts.js';

/** @throws ChecksumError */
export function compareChecksum(
  { blockIndex, checksum: expected }: Pick<HctBlock, 'blockIndex' | 'checksum'>,
  actual: bigint,
): void {
  if (actual !== expected) throw new ChecksumError('HCT block: checksum', { blockIndex, expected, actual });
}

/** Runs `work`; a CodecError of it names the block. */
export function namingBlock(blockIndex: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const { what, offset, expected, actual } = error;
    throw new CodecError(what, { blockIndex, offset, expected, actual, cause: error });
  }
}
