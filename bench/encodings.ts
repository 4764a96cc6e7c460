import type { EncodedFragments, Encoding } from '../src/encodings/encoding.js';
import { ENCODINGS } from '../src/encodings/encodings.js';
import { SeededRng } from '../src/kernels/gaussian/rng.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { compare, warmCopy } from './harness.js';

const FRAGMENTS = 8;

interface Subject {
  readonly name: string;
  readonly encoding: Encoding;
  readonly options: object;
  /** Sides of the square matrices. */
  readonly sides: readonly number[];
}

const SUBJECTS: readonly Subject[] = [
  { name: 'spectral', encoding: ENCODINGS.spectral, options: {}, sides: [1024, 4096] },
  {
    name: 'spectral, ranked',
    encoding: ENCODINGS.spectral,
    options: { layout: 'ranked' },
    sides: [1024, 4096],
  },
  {
    name: 'spectral, essential',
    encoding: ENCODINGS.spectral,
    options: { layout: 'essential' },
    sides: [1024, 4096],
  },
  { name: 'RP01', encoding: ENCODINGS['random-projection'], options: {}, sides: [1024, 4096] },
  // O(n²): refused for more than 256² unless forced.
  {
    name: 'Gaussian',
    encoding: ENCODINGS['random-projection'],
    options: { matrix: 'gaussian' },
    sides: [64, 128],
  },
  { name: 'embedded', encoding: ENCODINGS.embedded, options: {}, sides: [1024, 4096] },
];

/** An f32 matrix to 8 fragments and back, payloads uncompressed, as multiples of one copy of the matrix. */
export async function run(): Promise<void> {
  const kernels = await loadKernels();
  for (const subject of SUBJECTS) for (const side of subject.sides) await measure(subject, side, kernels);
}

async function measure({ name, encoding, options }: Subject, side: number, kernels: Kernels) {
  const rng = new SeededRng(BigInt(side));
  const data = Float32Array.from({ length: side * side }, () => 0.02 * rng.nextNormal());
  const out = new Float32Array(data.length).fill(1);
  const request = {
    tensor: { dtype: 'F32', shape: [side, side], data },
    rows: side,
    cols: side,
    dtype: 'F32',
    fragments: FRAGMENTS,
    seed: 1n,
    kernels,
  } as const;
  const encode = () => encoding.encode(request, options);
  const decode = ({ payloads, norm }: EncodedFragments, taken: number) => {
    const decoder = encoding.createDecoder({ ...request, fragments: payloads.length, norm }, {});
    for (let index = 0; index < taken; index++) decoder.addFragment(index, payloads[index]!);
    decoder.reconstruct(out);
  };
  const encoded = encode();
  await compare(`${name}, ${side}²`, data.byteLength, [
    warmCopy(data.byteLength),
    { name: 'encode', run: encode },
    { name: 'decode all', run: () => decode(encoded, encoded.payloads.length) },
    { name: 'decode the first', run: () => decode(encoded, 1) },
  ]);
}
