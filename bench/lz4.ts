import { compressBlock, decompressBlock } from 'lz4js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { portableKernels as portable } from '../src/kernels/portableKernels.js';
import { type BlockKind, blockData } from '../test/helpers/blockData.js';
import { compare, warmCopy } from './harness.js';

const BLOCK = 16384;
const KINDS: readonly BlockKind[] = ['bf16', 'sparse', 'text', 'random', 'zeros'];

/** LZ4 of 16 KiB blocks, bytes in JavaScript to bytes in JavaScript. */
export async function run(): Promise<void> {
  const wasm = await loadKernels({ implementation: 'wasm' });
  for (const kind of KINDS) {
    const data = blockData(kind, BLOCK);
    const target = new Uint8Array(2 * BLOCK);
    // lz4js takes entries of an earlier block for matches: its table must be empty, as its own frame encoder has it.
    const table = new Uint32Array(1 << 16);
    await compare(`lz4 encode, ${kind}`, BLOCK, [
      warmCopy(BLOCK),
      { name: 'lz4js', run: () => compressBlock(data, target, 0, BLOCK, table.fill(0)), baseline: true },
      { name: 'portable', run: () => portable.lz4Compress(data) },
      { name: 'wasm', run: () => wasm.lz4Compress(data) },
    ]);
    const block = portable.lz4Compress(data);
    const out = new Uint8Array(BLOCK);
    const checksum = wasm.xxh3(block);
    const check = (xxh3: bigint) => {
      if (xxh3 !== checksum) throw new Error('checksum');
    };
    await compare(`lz4 decode, ${kind}, ${block.length} bytes`, BLOCK, [
      warmCopy(BLOCK),
      { name: 'lz4js', run: () => decompressBlock(block, out, 0, block.length, 0), baseline: true },
      { name: 'portable', run: () => portable.lz4DecompressInto(block, out), baseline: true },
      { name: 'wasm', run: () => wasm.lz4DecompressInto(block, out) },
      {
        name: 'wasm, verified',
        run: () => wasm.lz4DecompressInto(block, out, check),
      },
    ]);
  }
}
