import fc from 'fast-check';
import { filled, normalFrom, randomFrom } from './random.js';

/** Kinds of bytes that compressors treat differently, each seeded. */
const KINDS = {
  random: (next: () => number) => Math.floor(next() * 256),
  /** 95 % zeros. */
  sparse: (next: () => number) => (next() < 0.95 ? 0 : Math.floor(next() * 256)),
  zeros: () => 0,
  /** Few symbols, so that short matches abound. */
  narrow: (next: () => number) => Math.floor(next() * 3),
};

export type BlockKind = keyof typeof KINDS | 'text' | 'bf16';

export function blockData(kind: BlockKind, length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const next = randomFrom(seed);
  if (kind === 'text') return text(length, next);
  if (kind === 'bf16') return gaussianBf16(length, seed);
  return filled(new Uint8Array(length), () => KINDS[kind](next));
}

/** Any kind of block, mostly short. */
export const blockArbitrary = (maxLength: number): fc.Arbitrary<Uint8Array<ArrayBuffer>> =>
  fc
    .record({
      kind: fc.constantFrom<BlockKind>('random', 'sparse', 'zeros', 'narrow', 'text', 'bf16'),
      length: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: maxLength })),
      seed: fc.nat(),
    })
    .map(({ kind, length, seed }) => blockData(kind, length, seed));

function text(length: number, next: () => number): Uint8Array<ArrayBuffer> {
  const words = Array.from({ length: 300 }, () =>
    Array.from({ length: 2 + Math.floor(next() * 8) }, () =>
      String.fromCharCode(97 + Math.floor(next() * 26)),
    ).join(''),
  );
  let all = '';
  while (all.length < length) all += `${words[Math.floor(next() ** 2 * words.length)]} `;
  return new TextEncoder().encode(all.slice(0, length));
}

/** Weights as they are in a trained layer: normal with a standard deviation of 0.02, rounded towards 0. */
function gaussianBf16(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const count = Math.ceil(length / 2);
  const normal = normalFrom(seed);
  const floats = filled(new Float32Array(count), () => 0.02 * normal());
  const halves = new Uint16Array(new Uint32Array(floats.buffer).map((bits) => bits >>> 16));
  return new Uint8Array(halves.buffer).slice(0, length);
}
