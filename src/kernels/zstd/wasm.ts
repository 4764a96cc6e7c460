import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import { corrupt } from './corrupt.js';
import type { ZstdKernels } from './interface.js';
import { LITERALS_LENGTH, MATCH_LENGTH, OFFSET, type SequenceCodes } from './tables.js';
import { ZSTD_WASM } from './wasm/zstd.generated.js';

/** What the module exports. */
export interface ZstdExports {
  /** How many bytes the blocks decode to, or −1. */
  decode(
    blocks: number,
    length: number,
    out: number,
    outLength: number,
    work: number,
    maxBlock: number,
  ): number;
  /** The low half of an XXH64, signed. */
  checksum(from: number, length: number): number;
}

// Places and sizes in the kernel's work memory, as `assembly/layout.ts` has them.
const FAULT = 28;
const CONSTANTS = 1856;
const CODES_BYTES = 4496;
const DESCRIPTION_BYTES = 396;
const HUFFMAN_BYTES = 4096;
const LITERALS_BYTES = 131072;
/** Bytes before the blocks that the kernel may read. */
const FRONT_SLACK = 64;
/** Bytes after blocks and literals that it may read, and after the output that it may write. */
const SLACK = 64;

/** The kernel's work memory, the offset of ZSTD_CONSTANTS in it, and the slack behind each part. */
export const ZSTD_WORK = {
  bytes: CONSTANTS + 3 * CODES_BYTES + HUFFMAN_BYTES + LITERALS_BYTES + SLACK,
  constants: CONSTANTS,
  slack: SLACK,
};

/** Descriptions of the three kinds of codes; each is followed by states that the kernel makes. */
export const ZSTD_CONSTANTS: Uint8Array = describeCodes([LITERALS_LENGTH, OFFSET, MATCH_LENGTH]);

/** Why the kernel has stopped, by the number of the part that it was reading. */
const REASONS = [
  'its header is invalid',
  'its literals are invalid',
  'its sequences are invalid',
  'the last one ends in the wrong place',
];

function link(runtime: WasmRuntime, portable: () => ZstdKernels | undefined): ZstdKernels {
  /** By the portable kernels where the memory cannot hold what the call takes. */
  function orPortable(run: () => number, runLarge: (kernels: ZstdKernels) => number): number {
    return runtime.scopeOr(run, (full) => {
      const kernels = portable();
      if (kernels === undefined) throw full;
      return runLarge(kernels);
    });
  }
  return {
    zstdDecompressInto: (frame, start, out, maxBlock) =>
      orPortable(
        () => decompress(runtime, frame, start, out, maxBlock),
        (kernels) => kernels.zstdDecompressInto(frame, start, out, maxBlock),
      ),
    zstdChecksum: (content) =>
      orPortable(
        () => {
          const from = runtime.allocate(content.length);
          runtime.load(content, from);
          return runtime.exports<ZstdExports>('zstd').checksum(from, content.length) >>> 0;
        },
        (kernels) => kernels.zstdChecksum(content),
      ),
  };
}

export const wasmZstd: WasmSubject<ZstdKernels> = { modules: { zstd: ZSTD_WASM }, link };

function decompress(
  runtime: WasmRuntime,
  frame: Uint8Array,
  start: number,
  out: Uint8Array,
  maxBlock: number,
): number {
  const length = frame.length - start;
  const work = runtime.allocate(ZSTD_WORK.bytes);
  const blocks = runtime.allocate(FRONT_SLACK + length + SLACK) + FRONT_SLACK;
  const to = runtime.allocate(out.length + SLACK);
  runtime.load(ZSTD_CONSTANTS, work + ZSTD_WORK.constants);
  runtime.load(frame.subarray(start), blocks);
  const { decode } = runtime.exports<ZstdExports>('zstd');
  const decoded = decode(blocks, length, to, out.length, work, Math.min(maxBlock, LITERALS_BYTES));
  if (decoded < 0) {
    const [block, part] = runtime.words(work + FAULT, 2);
    throw corrupt(REASONS[part!]!, start + block!);
  }
  runtime.store(to, out.subarray(0, decoded));
  return decoded;
}

/** Of each: counts i8, bits u8, bases u32, room for 64; then number of codes, log, largest log, u32 each. */
function describeCodes(kinds: readonly SequenceCodes[]): Uint8Array {
  const described = new Uint8Array((kinds.length - 1) * CODES_BYTES + DESCRIPTION_BYTES);
  for (const [i, { counts, bits, bases, log, maxLog }] of kinds.entries()) {
    const to = described.subarray(i * CODES_BYTES);
    to.set(
      Uint8Array.from(counts, (count) => count & 255),
      0,
    );
    to.set(bits, 64);
    to.set(new Uint8Array(bases.buffer), 128);
    to.set(new Uint8Array(Uint32Array.of(bits.length, log, maxLog).buffer), 384);
  }
  return described;
}
