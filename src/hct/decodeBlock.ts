import { LIMIT_RULES, type LimitsOption } from '../checks/limits.js';
import { flag, type Rules } from '../checks/options.js';
import type { BlockDecoder } from '../codecs/codec.js';
import { placed } from '../errors/placed.js';
import { ChecksumError, CodecError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import type { HctBlock } from './parts.js';
import {
  type BlockFormat,
  type HctTools,
  IMPLEMENTATION_RULES,
  type ImplementationOptions,
  loadHctReadTools,
} from './tools.js';

/** A block, verified and decompressed; errors name it. */

export interface HctDecodeOptions extends LimitsOption, ImplementationOptions {
  /** Check the checksums of blocks, if the file has them. Default true. */
  readonly verify?: boolean | undefined;
}

export const HCT_DECODE_RULES: Rules<HctDecodeOptions> = {
  ...LIMIT_RULES,
  ...IMPLEMENTATION_RULES,
  verify: flag,
};

/** The fields of a block that decoding needs. */
export type StoredBlock = Pick<HctBlock, 'blockIndex' | 'checksum' | 'compressed'>;

/** Decodes a block so that it fills `out`, verified unless `verify` is false. */
export type DecodeBlock = (block: StoredBlock, out: Uint8Array) => void;

/** @throws UnsupportedError when the requested implementation is not available */
export async function loadBlockDecoder(format: BlockFormat, options: HctDecodeOptions): Promise<DecodeBlock> {
  return blockDecoder(await loadHctReadTools(format, options), options.verify);
}

export function blockDecoder(tools: HctTools, verify = true): DecodeBlock {
  return verify
    ? (block, out) => verifyAndDecompress(block, tools, out)
    : (block, out) => decompressBlock(block, tools.codec, out);
}

/**
 * @returns false when the file has no checksum for this block
 * @throws ChecksumError
 */
export function verifyBlock(block: StoredBlock, kernels: Pick<Kernels, 'xxh3'>): boolean {
  if (block.checksum === 0n) return false;
  compareChecksum(block, kernels.xxh3(block.compressed));
  return true;
}

/**
 * Decodes a block so that it fills `out`.
 * @throws CodecError that names the block
 */
export function decompressBlock(
  { blockIndex, compressed }: Pick<StoredBlock, 'blockIndex' | 'compressed'>,
  codec: BlockDecoder,
  out: Uint8Array,
): void {
  try {
    codec.decompressInto(compressed, out);
  } catch (error) {
    throw placed(error, CodecError, { blockIndex });
  }
}

/** Both, in one pass over the block if the codec supports it. */
function verifyAndDecompress(block: StoredBlock, { codec, kernels }: HctTools, out: Uint8Array): void {
  const { blockIndex, checksum, compressed } = block;
  if (checksum === 0n || codec.checkAndDecompressInto === undefined) {
    verifyBlock(block, kernels);
    decompressBlock(block, codec, out);
    return;
  }
  try {
    codec.checkAndDecompressInto(compressed, out, (actual) => compareChecksum(block, actual));
  } catch (error) {
    throw placed(error, CodecError, { blockIndex });
  }
}

function compareChecksum({ blockIndex, checksum: expected }: StoredBlock, actual: bigint): void {
  if (actual !== expected)
    throw new ChecksumError('Cannot use the HCT block: wrong checksum', { blockIndex, expected, actual });
}
