import type { ZstdEngine } from './zstd.js';

/** The part of node:zlib that Node has from 22.15 and 23.8 on; older type definitions lack it. */
interface NativeZlib {
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
  zstdDecompressSync(frame: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  zstdCompressSync(data: Uint8Array, options: { params: Record<number, number> }): Uint8Array;
}

/** libzstd as the runtime brings it, or undefined where it does not. */
export function nativeZstd(): ZstdEngine | undefined {
  // Not an import: bundlers for browsers would look for the module.
  const zlib = globalThis.process?.getBuiltinModule?.('node:zlib') as unknown as NativeZlib | undefined;
  if (zlib === undefined || !('zstdDecompressSync' in zlib)) return undefined;
  return {
    implementation: 'native',
    verifiesChecksum: true,
    decompressInto(frame: Uint8Array, out: Uint8Array): number {
      // It refuses a limit of 0.
      const content = zlib.zstdDecompressSync(frame, { maxOutputLength: Math.max(out.length, 1) });
      if (content.length === out.length) out.set(content);
      return content.length;
    },
    compress(data: Uint8Array, level: number): Uint8Array {
      const params = { [zlib.constants.ZSTD_c_compressionLevel]: level };
      // A plain array of its own: small Buffers share a pool, and keep it alive.
      return new Uint8Array(zlib.zstdCompressSync(data, { params }));
    },
  };
}
