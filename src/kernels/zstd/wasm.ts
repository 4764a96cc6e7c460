import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import type { ZstdKernels } from './interface.js';
import { portableZstd } from './portable.js';
import { LITERALS_LENGTH, MATCH_LENGTH, OFFSET, type SequenceCodes } from './tables.js';
import { ZSTD_WASM } from './wasm/zstd.generated.js';

interface ZstdExports {
  decode(blocks: number, length: number, out: number, outLength: number, work: number): number;
}

// Places and sizes in the kernel's work memory, as `assembly/layout.ts` has them.
const CONSTANTS = 1856;
const CODES_BYTES = 4496;
const DESCRIPTION_BYTES = 396;
const HUFFMAN_BYTES = 4096;
const LITERALS_BYTES = 131072;
/** What the kernel may read before the blocks. */
const FRONT_SLACK = 64;
/** What it may read behind blocks and literals, and write behind the output. */
const SLACK = 64;

/** The kernel's work memory, and where in it ZSTD_CONSTANTS must stand. */
export const ZSTD_WORK = {
  bytes: CONSTANTS + 3 * CODES_BYTES + HUFFMAN_BYTES + LITERALS_BYTES + SLACK,
  constants: CONSTANTS,
};

/** Descriptions of the three kinds of codes; behind each are states that the kernel makes itself. */
export const ZSTD_CONSTANTS = describeCodes([LITERALS_LENGTH, OFFSET, MATCH_LENGTH]);

const NOT_DECODED = () => false;

export const wasmZstd: WasmSubject<ZstdKernels> = { modules: { zstd: ZSTD_WASM }, link };

function link(runtime: WasmRuntime): ZstdKernels {
  return {
    zstdDecompressInto: (frame, start, out) => {
      const decoded = runtime.scopeOr(() => {
        const length = frame.length - start;
        const work = runtime.allocate(ZSTD_WORK.bytes);
        const blocks = runtime.allocate(FRONT_SLACK + length + SLACK) + FRONT_SLACK;
        const to = runtime.allocate(out.length + SLACK);
        runtime.load(ZSTD_CONSTANTS, work + ZSTD_WORK.constants);
        runtime.load(frame.subarray(start), blocks);
        const { decode } = runtime.exports<ZstdExports>('zstd');
        if (decode(blocks, length, to, out.length, work) !== 1) return false;
        runtime.store(to, out);
        return true;
      }, NOT_DECODED);
      // The portable decoder refuses the same frames, and finds out what is wrong.
      if (!decoded) portableZstd.zstdDecompressInto(frame, start, out);
    },
  };
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
