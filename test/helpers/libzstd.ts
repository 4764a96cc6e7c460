import * as zlib from 'node:zlib';
import { Zstd } from '@hpcc-js/wasm-zstd';

/** Decoders that ours are held against. Each returns undefined for a frame that it refuses. */
export interface ZstdOracle {
  readonly name: string;
  readonly version: string;
  /** @param frame one frame; what follows it is not decoded by all oracles */
  decode(frame: Uint8Array): Uint8Array | undefined;
}

/** Node's, since 22.15 and 23.8; older type definitions lack it. */
interface NodeZlib {
  zstdDecompressSync(frame: Uint8Array): Uint8Array;
}

function refusing(decode: (frame: Uint8Array) => Uint8Array): ZstdOracle['decode'] {
  return (frame) => {
    try {
      return new Uint8Array(decode(frame));
    } catch {
      return undefined;
    }
  };
}

/** The newest libzstd that a package brings, and the one of this Node, if it has one. */
export async function zstdOracles(): Promise<readonly [ZstdOracle, ...ZstdOracle[]]> {
  const zstd = await Zstd.load();
  const packaged = {
    name: '@hpcc-js/wasm-zstd',
    version: zstd.version(),
    decode: refusing((frame) => zstd.decompress(frame)),
  };
  if (!('zstdDecompressSync' in zlib)) return [packaged];
  const own = zlib as unknown as NodeZlib;
  const { zstd: version = '' } = process.versions as NodeJS.ProcessVersions & { zstd?: string };
  return [
    packaged,
    { name: 'node:zlib', version, decode: refusing((frame) => own.zstdDecompressSync(frame)) },
  ];
}
