import fc from 'fast-check';

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
  const next = generator(seed);
  if (kind === 'text') return text(length, next);
  if (kind === 'bf16') return gaussianBf16(length, next);
  return Uint8Array.from({ length }, () => KINDS[kind](next));
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

/** mulberry32, by Tommy Ettinger (public domain): uniform in [0, 1). */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

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
function gaussianBf16(length: number, next: () => number): Uint8Array<ArrayBuffer> {
  const count = Math.ceil(length / 2);
  const floats = Float32Array.from(
    { length: count },
    () => 0.02 * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
  const halves = Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16);
  return new Uint8Array(halves.buffer).slice(0, length);
}
