import { lowRank } from '../src/encodings/lowRank/lowRank.js';
import { SeededRng } from '../src/kernels/gaussian/rng.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { portableKernels } from '../src/kernels/portableKernels.js';
import { compare, warmCopy } from './harness.js';

const FRAGMENTS = 8;

/** Sides of square tensors, ranks, and what the tensors are: noise is the hardest. */
const SIZES = [
  [576, 256, 'weights'],
  [1024, 64, 'weights'],
  [4096, 64, 'weights'],
  [4096, 64, 'noise'],
] as const;

/** The portable path takes too long above. */
const PORTABLE_SIZE = 1024;

/** Factorising, and adding and reconstructing all fragments. The copy is of the tensor. */
export async function run(): Promise<void> {
  const wasm = await loadKernels({ implementation: 'wasm' });
  for (const [size, rank, kind] of SIZES) {
    const data = kind === 'noise' ? noise(size) : weights(size);
    const tensor = { dtype: 'F32', shape: [size, size], data } as const;
    const request = { tensor, rows: size, cols: size, fragments: FRAGMENTS, seed: 0n };
    const { payloads } = lowRank.encode({ ...request, kernels: wasm }, { rank });
    const out = new Float32Array(size * size);
    const decode = (kernels: Kernels) => {
      const decoder = lowRank.createDecoder({ ...request, dtype: 'F32', norm: undefined, kernels }, {});
      for (const [index, payload] of payloads.entries()) decoder.addFragment(index, payload);
      decoder.reconstruct(out);
    };
    const encode = (kernels: Kernels) => lowRank.encode({ ...request, kernels }, { rank });
    for (const [what, work] of [
      ['encode', encode],
      ['decode', decode],
    ] as const) {
      await compare(`low rank ${what}, ${kind} ${size}², ${rank}`, out.byteLength, [
        warmCopy(out.byteLength),
        ...(size > PORTABLE_SIZE
          ? []
          : [{ name: 'portable', run: () => work(portableKernels), baseline: true }]),
        { name: 'wasm', run: () => work(wasm) },
      ]);
    }
  }
}

function noise(size: number, rng = new SeededRng(1n)): Float32Array {
  return Float32Array.from({ length: size * size }, () => rng.nextNormal());
}

/** Noise, and a few strong directions above it: the spectrum of trained weights. */
function weights(size: number): Float32Array {
  const rng = new SeededRng(1n);
  const data = noise(size, rng);
  const normals = (length: number) => Float32Array.from({ length }, () => rng.nextNormal());
  for (let k = 1; k <= STRONG_DIRECTIONS; k++) {
    const [u, v] = [normals(size), normals(size)];
    const scale = 2 / Math.sqrt(size * k);
    for (let i = 0; i < size; i++) {
      const factor = u[i]! * scale;
      for (let j = 0; j < size; j++) data[i * size + j]! += factor * v[j]!;
    }
  }
  return data;
}

const STRONG_DIRECTIONS = 32;
