import type { CompressionAlgorithm } from '../codecs/codec.js';
import { compareChecksum, namingBlock } from './blockErrors.js';
import type { HctDecodeOptions } from './decoder.js';
import { decompressBlock } from './decompressor.js';
import type { HctBlock } from './parts.js';
import { type HctTools, loadHctReadTools } from './tools.js';
import { verifyBlock } from './verifier.js';

/** Decodes a block so that it fills `out`, verified where that is wanted. */
export type DecodeBlock = (
  block: Pick<HctBlock, 'blockIndex' | 'checksum' | 'compressed'>,
  out: Uint8Array,
) => void;

/** @throws UnsupportedError when the implementation asked for is not to be had */
export async function loadBlockDecoder(
  algorithm: CompressionAlgorithm,
  options: HctDecodeOptions,
): Promise<DecodeBlock> {
  return blockDecoder(await loadHctReadTools(algorithm, options), options.verify);
}

export function blockDecoder(tools: HctTools, verify = true): DecodeBlock {
  return verify
    ? (block, out) => decodeBlock(block, tools, out)
    : (block, out) => decompressBlock(block, tools.codec, out);
}

/**
 * Compares a block with its checksum, if it has one, and decodes it so that it fills `out`.
 * @throws ChecksumError; CodecError that names the block
 */
function decodeBlock(
  block: Pick<HctBlock, 'blockIndex' | 'checksum' | 'compressed'>,
  { codec, kernels }: HctTools,
  out: Uint8Array,
): void {
  const { blockIndex, checksum, compressed } = block;
  if (checksum === 0n || codec.checkAndDecompressInto === undefined) {
    verifyBlock(block, kernels);
    decompressBlock(block, codec, out);
    return;
  }
  const check = (actual: bigint) => compareChecksum(block, actual);
  namingBlock(blockIndex, () => codec.checkAndDecompressInto!(compressed, out, check));
}
