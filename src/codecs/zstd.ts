import { CodecError } from '../errors.js';
import { xxh64 } from '../kernels/portable/xxh64.js';
import type { Codec, CompressOptions } from './codec.js';
import { checkZstdFrame } from './zstdFrame.js';

const DEFAULT_LEVEL = 3;

/** What an implementation does, between the checks that all of them share. */
export interface ZstdEngine {
  readonly implementation: Codec['implementation'];
  /** The engine compares the content with the frame's checksum itself. */
  readonly verifiesChecksum: boolean;
  /**
   * Decodes one frame that states its content size, `out.length`.
   * @returns the number of bytes that it decoded to
   */
  decompressInto(frame: Uint8Array, out: Uint8Array): number;
  compress(data: Uint8Array, level: number): Uint8Array;
}

/** Zstandard: the frame is checked from outside before the engine sees it, the result after. */
export function zstdCodec(engine: ZstdEngine): Codec {
  return {
    algorithm: 'zstd',
    implementation: engine.implementation,
    decompressInto(block: Uint8Array, out: Uint8Array): void {
      const frame = checkZstdFrame(block, out.length);
      const actual = run(engine, frame.bytes, out);
      if (actual !== out.length) {
        throw new CodecError('Zstd frame: decoded length', { expected: out.length, actual });
      }
      if (frame.checksum !== undefined && !engine.verifiesChecksum) verify(frame.checksum, out);
    },
    compress(data: Uint8Array, options: CompressOptions = {}): Uint8Array {
      return engine.compress(data, options.level ?? DEFAULT_LEVEL);
    },
  };
}

function run(engine: ZstdEngine, frame: Uint8Array, out: Uint8Array): number {
  try {
    return engine.decompressInto(frame, out);
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    const reason = cause instanceof Error ? cause.message : cause;
    throw new CodecError('Zstd frame: not standard, or corrupt', { actual: reason, cause });
  }
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
