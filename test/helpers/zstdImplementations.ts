import * as zlib from 'node:zlib';
import type { Implementation } from '../../src/codecs/codec.js';

/** Those that this Node must offer: its own Zstd came with 22.15. */
export function zstdImplementations(): Exclude<Implementation, 'auto'>[] {
  return 'zstdDecompressSync' in zlib ? ['portable', 'wasm', 'native'] : ['portable', 'wasm'];
}
