import { Decompress } from 'fzstd';
import { CodecError, UnsupportedError } from '../errors.js';
import type { ZstdEngine } from './zstd.js';

/**
 * fzstd, in plain JavaScript; it cannot compress. Its streaming face is used because that one tells how many bytes
 * each block gave: the other returns a buffer of the stated size, full or not.
 */
export const portableZstd: ZstdEngine = {
  implementation: 'portable',
  verifiesChecksum: false,
  decompressInto(frame: Uint8Array, out: Uint8Array): number {
    let filled = 0;
    const decoder = new Decompress((part) => {
      if (part.length > out.length - filled) {
        throw new CodecError('Zstd frame: more content than expected', {
          expected: out.length,
          actual: filled + part.length,
        });
      }
      out.set(part, filled);
      filled += part.length;
    });
    decoder.push(frame, true);
    return filled;
  },
  compress(): Uint8Array {
    throw new UnsupportedError('Zstd compression needs WebAssembly or a Node with zstd in node:zlib');
  },
};
