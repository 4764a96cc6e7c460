import type { Random } from '../../helpers/random.js';
import { mutateBytes } from './bytes.js';

/** Mutations of JSON text that leave it JSON, so that what reads its values is reached. */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const VALUES: readonly Json[] = [
  null,
  true,
  0,
  1,
  -1,
  0.5,
  1e-320,
  2 ** 31,
  2 ** 53,
  1e308,
  '',
  '0',
  '\u0000\u001b[31m\u0007',
  '\u009b31m\u00e9',
  '\ud800',
  '../x',
  'con',
  '__proto__',
  [],
  {},
  { toString: 1 },
  { length: 4294967295 },
  [[[[[[[[]]]]]]]],
];

const KEYS = ['__proto__', 'constructor', 'toString', '', '0', 'length', '__metadata__'] as const;

/** JSON with one value changed; bytes changed anywhere, if it is not JSON. */
export function mutateJson(bytes: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  let root: Json;
  try {
    root = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch {
    return mutateBytes(bytes, random, others);
  }
  const places = placesOf(root);
  const place = places.length === 0 ? undefined : random.pick(places);
  if (place === undefined) root = random.pick(VALUES);
  else change(place, random, places);
  return new TextEncoder().encode(JSON.stringify(root));
}

/** A value inside another one. */
interface Place {
  readonly parent: Json[] | { [key: string]: Json };
  readonly key: string;
}

function placesOf(value: Json, places: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return places;
  for (const [key, child] of Object.entries(value)) {
    places.push({ parent: value, key });
    placesOf(child, places);
  }
  return places;
}

function change({ parent, key }: Place, random: Random, places: readonly Place[]): void {
  const record = parent as Record<string, Json>;
  const old = record[key]!;
  switch (random.below(7)) {
    case 0:
      set(record, key, structuredClone(random.pick(VALUES)));
      return;
    case 1:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete record[key];
      return;
    case 2:
      // A value twice, or under a key that has a meaning in JavaScript.
      if (Array.isArray(parent)) parent.splice(Number(key), 0, old);
      else set(record, random.once(2) ? random.pick(KEYS) : `${key}${random.below(10)}`, old);
      return;
    case 3: {
      const other = random.pick(places);
      set(record, key, structuredClone((other.parent as Record<string, Json>)[other.key]!));
      return;
    }
    case 4:
      set(record, key, random.once(2) ? [old] : { [random.pick(KEYS)]: old });
      return;
    default:
      set(record, key, nearby(old, random));
  }
}

/** Not by assignment, which would set the prototype for the key `__proto__`. */
function set(record: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(record, key, { value, configurable: true, enumerable: true, writable: true });
}

function nearby(value: Json, random: Random): Json {
  if (typeof value === 'number') {
    return random.pick([value + 1, value - 1, 2 * value, -value, value + 0.5, Math.floor(value / 2)]);
  }
  if (typeof value === 'string') {
    return new TextDecoder().decode(mutateBytes(new TextEncoder().encode(value), random, []));
  }
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) return value.toReversed();
  return value === null ? 0 : Object.fromEntries(Object.entries(value).reverse());
}
