import { CodecError } from '../errors.js';
import type { ZstdKernels } from '../kernels/zstd/interface.js';
import { xxh64 } from '../kernels/zstd/xxh64.js';
import type { BlockDecoder } from './codec.js';
import { checkZstdFrame } from './zstdFrame.js';

/** Zstandard frames by the given kernels. */
export function zstdDecoder(
  kernels: ZstdKernels & { readonly implementation: BlockDecoder['implementation'] },
): BlockDecoder {
  return {
    algorithm: 'zstd',
    implementation: kernels.implementation,
    decompressInto(block: Uint8Array, out: Uint8Array): void {
      const frame = checkZstdFrame(block, out.length);
      kernels.zstdDecompressInto(block.subarray(0, frame.blocksEnd), frame.blocksStart, out);
      if (frame.checksum !== undefined) verify(frame.checksum, out);
    },
  };
}

function verify(expected: number, content: Uint8Array): void {
  const actual = Number(xxh64(content) & 0xffff_ffffn);
  if (actual !== expected) {
    throw new CodecError('Zstd frame: content checksum', {
      expected: `0x${expected.toString(16)}`,
      actual: `0x${actual.toString(16)}`,
    });
  }
}
