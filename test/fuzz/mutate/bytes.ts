import type { Random } from '../../helpers/random.js';
import type { Field } from '../target.js';

/** Mutations of bytes whose meaning is unknown, and of numbers at known places. Each returns new bytes. */

type Mutation = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

/** Most bytes that one mutation inserts. */
const MAX_INSERTION = 32;

const BYTES = [0, 1, 0x7f, 0x80, 0xff] as const;

export function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes;
  const changed = new Uint8Array(bytes);
  changed[random.below(bytes.length)]! ^= 1 << random.below(8);
  return changed;
}

const setByte: Mutation = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  const changed = new Uint8Array(bytes);
  const value = random.once(2) ? random.pick(BYTES) : random.below(256);
  changed[random.below(bytes.length)] = value;
  return changed;
};

const setNumber: Mutation = (bytes, random) => {
  const size = random.pick([2, 4, 8] as const);
  if (bytes.length < size) return bytes;
  return changeField(bytes, { offset: random.below(bytes.length - size + 1), size }, random);
};

const insert: Mutation = (bytes, random) => {
  const added = Uint8Array.from({ length: random.small(MAX_INSERTION) }, () => random.below(256));
  return replaceRange(bytes, random.below(bytes.length + 1), 0, added);
};

const remove: Mutation = (bytes, random) => {
  const [start, length] = rangeOf(bytes, random);
  return replaceRange(bytes, start, length, new Uint8Array(0));
};

const fill: Mutation = (bytes, random) => {
  const [start, length] = rangeOf(bytes, random);
  return new Uint8Array(bytes).fill(random.pick(BYTES), start, start + length);
};

const repeat: Mutation = (bytes, random) => {
  const [start, length] = rangeOf(bytes, random);
  return replaceRange(bytes, start, 0, bytes.subarray(start, start + length));
};

const copy: Mutation = (bytes, random) => {
  const [start, length] = rangeOf(bytes, random);
  const changed = new Uint8Array(bytes);
  changed.copyWithin(random.below(bytes.length + 1), start, start + length);
  return changed;
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1));

const splice: Mutation = (bytes, random, others) => {
  if (others.length === 0) return bytes;
  const other = random.pick(others);
  const [start, length] = rangeOf(other, random);
  const [at, removed] = rangeOf(bytes, random);
  return replaceRange(bytes, at, random.once(2) ? removed : length, other.subarray(start, start + length));
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setNumber,
  insert,
  remove,
  fill,
  repeat,
  copy,
  truncate,
  splice,
];

/** @param others bytes of the same kind, from other inputs */
export function mutateBytes(bytes: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  return random.pick(MUTATIONS)(bytes, random, others);
}

/** Numbers at which code tends to be wrong; as bits, they are special floats, too. */
const NUMBERS = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7f7fffffn, // the largest f32
  0x7f800000n, // infinity
  0x7fc00000n, // NaN
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x1fffffffffffffn, // the largest whole number that is exact in a double
  0x20000000000000n,
  0x7fffffffffffffffn,
  0xffffffffffffffffn,
] as const;

/** Gives the number of a field another value: a special one, a near one, or that of another field. */
export function changeField(
  bytes: Uint8Array,
  { offset, size }: Field,
  random: Random,
  fields: readonly Field[] = [],
): Uint8Array {
  const changed = new Uint8Array(bytes);
  if (offset + size > bytes.length) return changed;
  const old = readField(bytes, { offset, size });
  const choose = (): bigint => {
    switch (random.below(6)) {
      case 0:
        return old + BigInt(random.small(16));
      case 1:
        return old - BigInt(random.small(16));
      case 2:
        return random.once(2) ? old * 2n : old / 2n;
      case 3:
        return fields.length === 0 ? old ^ 1n : readField(bytes, random.pick(fields));
      case 4:
        return BigInt(random.uint32()) >> BigInt(random.below(32));
      default:
        return random.pick(NUMBERS);
    }
  };
  let value = BigInt.asUintN(8 * size, choose());
  for (let i = 0; i < size; i++, value >>= 8n) changed[offset + i] = Number(value & 0xffn);
  return changed;
}

function readField(bytes: Uint8Array, { offset, size }: Field): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i] ?? 0);
  return value;
}

/** A range that begins inside the bytes, mostly short. */
function rangeOf(bytes: Uint8Array, random: Random): [start: number, length: number] {
  const start = random.below(bytes.length + 1);
  return [start, Math.min(random.small(bytes.length + 1), bytes.length - start)];
}

function replaceRange(bytes: Uint8Array, start: number, length: number, by: Uint8Array): Uint8Array {
  const changed = new Uint8Array(bytes.length - Math.min(length, bytes.length - start) + by.length);
  changed.set(bytes.subarray(0, start));
  changed.set(by, start);
  changed.set(bytes.subarray(start + length), start + by.length);
  return changed;
}
