import { decompress } from 'fzstd';
import { loadCodec } from '../src/codecs/loadCodec.js';
import { blockData } from '../test/helpers/blockData.js';
import { zstdImplementations } from '../test/helpers/zstdImplementations.js';
import { compare, warmCopy } from './harness.js';

/** Zstd of whole blocks, bytes in JavaScript to bytes in JavaScript. */
export async function run(): Promise<void> {
  const encoder = await loadCodec('zstd', { implementation: 'wasm' });
  for (const [kind, bytes] of [
    ['bf16', 16384],
    ['bf16', 1 << 20],
    ['sparse', 16384],
    ['text', 16384],
  ] as const) {
    const data = blockData(kind, bytes);
    const out = new Uint8Array(bytes);
    const block = encoder.compress(data);
    const decoders = [];
    const encoders = [];
    for (const implementation of zstdImplementations()) {
      const codec = await loadCodec('zstd', { implementation });
      decoders.push({ name: implementation, run: () => codec.decompressInto(block, out) });
      if (implementation !== 'portable') {
        encoders.push({ name: implementation, run: () => codec.compress(data) });
      }
    }
    await compare(`zstd decode, ${kind}, ${bytes} bytes`, bytes, [
      warmCopy(bytes),
      { name: 'fzstd', run: () => decompress(block), baseline: true },
      ...decoders,
    ]);
    await compare(`zstd encode, ${kind}, ${bytes} bytes`, bytes, [warmCopy(bytes), ...encoders]);
  }
}
