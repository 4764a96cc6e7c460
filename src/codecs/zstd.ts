import { CodecError, UnsupportedError } from '../errors.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { ZstdKernels } from '../kernels/zstd/interface.js';
import type { BlockDecoder, Implementation } from './codec.js';
import { decodeZstdFrames, zstdContentSize } from './zstdFrame.js';

/**
 * The decoder of Zstandard frames: wasm, or else portable, which agree on every input. The runtime's own only on request:
 * fast builds of libzstd decode literals whose codes and bits do not end together, in corrupt blocks, to wrong bytes. On
 * 16 KiB blocks of bf16, the wasm kernel takes half the time of Node's own, which makes a context for each call; on 1 MiB
 * they are equal.
 */
export async function loadZstdDecoder(implementation: Implementation): Promise<BlockDecoder> {
  if (implementation === 'native') {
    const native = await loadNative();
    if (native === undefined)
      throw new UnsupportedError('Cannot load the native Zstd codec: this runtime has none');
    return native;
  }
  return zstdDecoder(await loadKernels(['zstd'], { implementation }));
}

/** Loaded on demand: pages have none. */
async function loadNative(): Promise<BlockDecoder | undefined> {
  const { nativeZstd } = await import('./zstdNative.js');
  return nativeZstd();
}

function zstdDecoder(
  kernels: ZstdKernels & { readonly implementation: BlockDecoder['implementation'] },
): BlockDecoder {
  return {
    algorithm: 'zstd',
    implementation: kernels.implementation,
    decompressInto(block: Uint8Array, out: Uint8Array): void {
      decodeZstdFrames(block, out, ({ start, blocksStart, blocksEnd, maxBlock, checksum }, room) => {
        const frame = block.subarray(start, blocksEnd);
        const length = kernels.zstdDecompressInto(frame, blocksStart - start, room, maxBlock);
        if (checksum !== undefined) verify(checksum, kernels.zstdChecksum(room.subarray(0, length)));
        return length;
      });
    },
    contentSize: zstdContentSize,
  };
}

function verify(expected: number, actual: number): void {
  if (actual !== expected) {
    throw new CodecError('Cannot decode the Zstd frame: wrong content checksum', {
      expected: `0x${expected.toString(16)}`,
      actual: `0x${actual.toString(16)}`,
    });
  }
}
