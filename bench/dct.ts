import { loadKernels } from '../src/kernels/loadKernels.js';
import { portableKernels } from '../src/kernels/portableKernels.js';
import { compare, warmCopy } from './harness.js';

const SIZES = [
  [576, 576],
  [1000, 1000],
  [1024, 1024],
  [4096, 4096],
  [769, 769],
  [1, 65536],
  [1, 50257],
] as const;

/** 2-D DCT-II and its inverse, f32. "portable" is the path over fft.js. */
export async function run(): Promise<void> {
  const wasm = await loadKernels({ implementation: 'wasm' });
  for (const [rows, cols] of SIZES) {
    const data = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i * i));
    const out = new Float32Array(data.length).fill(1);
    await compare(`DCT ${rows}×${cols}`, data.byteLength, [
      warmCopy(data.byteLength),
      { name: 'portable', run: () => portableKernels.dct2d(data, rows, cols, out), baseline: true },
      { name: 'wasm', run: () => wasm.dct2d(data, rows, cols, out) },
      { name: 'wasm, inverse', run: () => wasm.idct2d(data, rows, cols, out) },
    ]);
  }
  wasm.release();
}
