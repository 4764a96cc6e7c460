import { createXXHash3 } from 'hash-wasm';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { portableKernels as portable } from '../src/kernels/portableKernels.js';
import { compare, warmCopy } from './harness.js';

/** XXH3-64 of bytes outside the wasm memory; hash-wasm gives its digest as bytes. */
export async function run(): Promise<void> {
  const wasm = await loadKernels({ implementation: 'wasm' });
  const library = await createXXHash3();
  for (const bytes of [88, 1024, 16384, 1 << 20, 16 << 20]) {
    const data = Uint8Array.from({ length: bytes }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
    await compare(`xxh3 of ${bytes} bytes`, bytes, [
      warmCopy(bytes),
      {
        name: 'hash-wasm',
        run: () => library.init().update(data).digest('binary'),
        baseline: true,
      },
      { name: 'portable', run: () => portable.xxh3(data) },
      { name: 'wasm', run: () => wasm.xxh3(data) },
    ]);
  }
}
