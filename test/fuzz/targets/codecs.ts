import type { BlockDecoder, CompressionAlgorithm } from '../../../src/codecs/codec.js';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import { loadDecoder } from '../../../src/codecs/loadDecoder.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { type BlockKind, blockData } from '../../helpers/blockData.js';
import { concatBytes } from '../../helpers/bytes.js';
import { type Anatomy, Cutter, fieldsOf, type Part, type Seed, type Target, type Way } from '../target.js';
import { readU32, u32 } from './numbers.js';

/** Blocks of LZ4 and Zstandard. An input is the length that a block decodes to, u32, and the block. */

/** Longer outputs are not asked for. */
const MAX_LENGTH = 2 ** 17;

export async function codecTargets(): Promise<Target[]> {
  return [
    await codecTarget('lz4', {
      split: splitBlock,
      join: (parts) => concatBytes(parts.map(({ bytes }) => bytes)),
    }),
    await codecTarget('zstd', { split: splitFrame, join: joinFrame }),
  ];
}

async function codecTarget(algorithm: CompressionAlgorithm, anatomy: Anatomy): Promise<Target> {
  const [wasm, portable] = await Promise.all([
    loadDecoder(algorithm, { implementation: 'wasm' }),
    loadDecoder(algorithm, { implementation: 'portable' }),
  ]);
  const { xxh3 } = await loadKernels(['xxh3']);
  const ways = [wayOf('wasm', wasm), wayOf('portable', portable)];
  for (const decoder of [wasm, portable]) {
    if (decoder.checkAndDecompressInto === undefined) continue;
    ways.push({
      name: `${decoder.implementation}, checked`,
      read: (input, arena) => {
        const { length, block } = fieldsIn(input);
        const out = arena.bytes(length);
        let hash: bigint | undefined;
        decoder.checkAndDecompressInto!(block, out, (actual) => {
          hash = actual;
        });
        return { facts: String(hash === xxh3(block)), content: out };
      },
    });
  }
  return {
    name: algorithm,
    seeds: await seedsOf(algorithm),
    anatomy,
    ways,
    // Beside the output: tables, and the memory of the kernel, which holds both.
    memory: () => 2 ** 20 + 16 * MAX_LENGTH,
  };
}

function wayOf(name: string, decoder: BlockDecoder): Way {
  return {
    name,
    read: (input, arena) => {
      const { length, block } = fieldsIn(input);
      const out = arena.bytes(length);
      decoder.decompressInto(block, out);
      return { facts: 'true', content: out };
    },
  };
}

function fieldsIn(input: Uint8Array): { length: number; block: Uint8Array } {
  return { length: readU32(input, 0) % (MAX_LENGTH + 1), block: input.subarray(4) };
}

async function seedsOf(algorithm: CompressionAlgorithm): Promise<Seed[]> {
  const codec = await loadCodec(algorithm, { implementation: 'wasm' });
  const inputs: [BlockKind, number][] = [
    ['text', 60],
    ['text', 0],
    ['random', 100],
    ['zeros', 5000],
    ['text', 3000],
    ['sparse', 3000],
    ['narrow', 3000],
    ['bf16', 6000],
  ];
  const levels = algorithm === 'zstd' ? [1, 19] : [1];
  return inputs.flatMap(([kind, length]) =>
    levels.map((level) => ({
      name: `${kind}-${length}-level-${level}`,
      bytes: concatBytes([u32(length), codec.compress(blockData(kind, length), { level })]),
      sealed: false,
    })),
  );
}

function splitBlock(input: Uint8Array): readonly Part[] {
  const cutter = new Cutter(input);
  cutter.take('length', 4, { fields: fieldsOf(0, 4) });
  cutter.take('block', cutter.left);
  return cutter.parts;
}

/** The first byte of flags of a Zstandard frame says how long its header is: RFC 8878, section 3.1.1. */
function splitFrame(input: Uint8Array): readonly Part[] {
  const cutter = new Cutter(input);
  cutter.take('length', 4, { fields: fieldsOf(0, 4) });
  const descriptor = cutter.peek(5)[4] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const size = descriptor >> 6 === 0 ? Number(single) : 1 << (descriptor >> 6);
  const header = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + size;
  cutter.take('frame header', header, { fields: fieldsOf(4, 1, 1, 1) });
  for (let last = false; !last && cutter.left >= 3; ) {
    const start = cutter.peek(3);
    const word = start[0]! | (start[1]! << 8) | (start[2]! << 16);
    last = (word & 1) === 1;
    const type = (word >> 1) & 3;
    cutter.take('block', 3 + (type === 1 ? 1 : word >> 3), { fields: fieldsOf(0, 2, 1, 1, 2, 2, 1, 1, 1) });
  }
  return cutter.end();
}

function joinFrame(parts: readonly Part[], sizes: boolean): Uint8Array {
  const last = parts.findLastIndex(({ kind }) => kind === 'block');
  return concatBytes(
    parts.map(({ kind, bytes }, i) => (sizes && kind === 'block' ? sizedBlock(bytes, i === last) : bytes)),
  );
}

function sizedBlock(bytes: Uint8Array, last: boolean): Uint8Array {
  if (bytes.length < 3) return bytes;
  const block = new Uint8Array(bytes);
  const type = (block[0]! >> 1) & 3;
  const word = Number(last) | (type << 1) | ((type === 1 ? 1000 : block.length - 3) << 3);
  block.set([word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff]);
  return block;
}
