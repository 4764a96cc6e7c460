import fc from 'fast-check';

/** A change of bytes that looks for the edges of a format, too: single bits, extreme bytes, floats, lengths. */
export type Mutation =
  | { readonly kind: 'bit' | 'byte' | 'float'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut' | 'grow'; readonly at: number; readonly value: number };

const FLOATS = [0, -0, 1, 1e-45, 1e20, 1e37, 3e38, -3e38, Number.NaN, Number.POSITIVE_INFINITY];

/** Places are fractions, so that they fit any length. Half of them are in the first bytes, where headers are. */
const anywhere = fc.oneof(
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  fc.nat(31).map((byte) => -1 - byte),
);
const content = fc.double({ min: 0.5, max: 1, maxExcluded: true, noNaN: true });
const values = fc.oneof(fc.constantFrom(0, 255), fc.nat(255));

/** Most formats refuse four of five of these. */
const several: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('bit', 'bit', 'byte', 'byte', 'float', 'cut', 'grow'),
    at: anywhere,
    value: values,
  }),
  { minLength: 1, maxLength: 3 },
);

/** Most formats accept half of these, as other content. */
const single: fc.Arbitrary<Mutation[]> = fc
  .record({ kind: fc.constantFrom('bit', 'byte', 'float'), at: content, value: values })
  .map((change) => [change]);

/** What is accepted and what is refused is both frequent. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.oneof(several, single);

/** A changed copy. */
export function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  let changed = new Uint8Array(bytes);
  for (const { kind, at, value } of changes) {
    if (changed.length === 0) break;
    const place = at < 0 ? Math.min(changed.length - 1, -1 - at) : Math.floor(at * changed.length);
    if (kind === 'bit') changed[place]! ^= 1 << (value & 7);
    else if (kind === 'byte') changed[place] = value;
    else if (kind === 'cut') changed = changed.slice(0, place);
    else if (kind === 'grow') {
      const longer = new Uint8Array(changed.length + 1 + (value & 7));
      longer.set(changed);
      longer.fill(value, changed.length);
      changed = longer;
    } else if (place - (place % 4) + 4 <= changed.length) {
      const view = new DataView(changed.buffer);
      view.setFloat32(place - (place % 4), FLOATS[value % FLOATS.length]!, true);
    }
  }
  return changed;
}
