/**
 * A second decoder of the embedded encoding, written from `docs/formats/embedded.md` alone: one weight at a time, no
 * speed, nothing shared with the product. The tables of codes are read out of the document.
 */
import { readFileSync } from 'node:fs';

export interface ReferenceTensor {
  /** One a weight. */
  readonly values: Float32Array;
  /** Patterns of the elements of tiles that are complete; -1 elsewhere. Floats only. */
  readonly patterns: Float64Array;
  readonly cosine: number;
  readonly relativeError: number;
}

const FORMATS: Record<string, { m: number; e: number; b: number } | undefined> = {
  F32: { m: 23, e: 8, b: 127 },
  F16: { m: 10, e: 5, b: 15 },
  BF16: { m: 7, e: 8, b: 127 },
};

/** Code words ('0110') to symbols. */
type Code = Map<string, number>;

const CODES = readCodes();

function readCodes(): Map<string, Code> {
  const text = readFileSync(new URL('../../docs/formats/embedded.md', import.meta.url), 'utf8');
  const codes = new Map<string, Code>();
  for (const [, name, rest] of text.matchAll(/^\| ([AB]\d+) \|(.*)\|$/gm)) {
    const cells = rest!.split('|').map((cell) => (cell.includes('–') ? [0, 0] : cell.split(',').map(Number)));
    codes.set(name!, canonicalCode(cells));
  }
  return codes;
}

function canonicalCode(cells: number[][]): Code {
  const symbols: { symbol: number; length: number }[] = [];
  for (let bits = 0; bits <= 8; bits++) {
    const [length, shorter] = cells[bits]!;
    const members = Array.from({ length: 256 }, (_, s) => s).filter((s) => ones(s) === bits);
    members.forEach((symbol, i) => {
      if (length !== 0) symbols.push({ symbol, length: i < shorter! ? length! : length! + 1 });
    });
  }
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  const code: Code = new Map();
  let word = 0;
  let last = symbols[0]!.length;
  for (const { symbol, length } of symbols) {
    word *= 2 ** (length - last);
    last = length;
    code.set(word.toString(2).padStart(length, '0'), symbol);
    word += 1;
  }
  return code;
}

function ones(value: number): number {
  return [...value.toString(2)].filter((digit) => digit === '1').length;
}

class Bytes {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  u8(): number {
    if (this.at >= this.bytes.length) throw new Error('ends early');
    return this.bytes[this.at++]!;
  }

  number(bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += this.u8() * 256 ** i;
    return value;
  }

  f32(): number {
    return new DataView(Uint8Array.of(this.u8(), this.u8(), this.u8(), this.u8()).buffer).getFloat32(0, true);
  }

  varint(): number {
    let value = 0;
    for (let i = 0; ; i++) {
      const byte = this.u8();
      value += (byte % 128) * 128 ** i;
      if (byte < 128) return value;
    }
  }

  take(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.u8());
  }

  /** The rest as a bit stream. */
  bits(): () => number {
    let bit = 8 * this.at;
    return () => {
      if (bit >= 8 * this.bytes.length) throw new Error('bits end early');
      const value = (this.bytes[bit >> 3]! >> (bit & 7)) & 1;
      bit += 1;
      return value;
    };
  }
}

type Bit = () => number;

function field(bit: Bit, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value += bit() * 2 ** i;
  return value;
}

function symbol(bit: Bit, name: string): number {
  const code = CODES.get(name)!;
  for (let word = ''; ; ) {
    word += bit();
    const found = code.get(word);
    if (found !== undefined) return found;
    if (word.length > 12) throw new Error('no such code');
  }
}

interface Weight {
  negative: boolean;
  significant: boolean;
  /** Bits of the planes so far. */
  q: number;
  pattern: number;
}

interface Group {
  weights: Weight[];
  count: number;
  dense: boolean;
}

const CLASS_COUNTS = [0, 1, 2, 4, 7, 11, 16, 24, 33, 45];

function classOf({ count }: Group): number {
  return CLASS_COUNTS.filter((first) => first <= count).length - 1;
}

/** Bits of the weights of the groups, by group, eight bytes each as 64 bits. */
function codedBitmap(bit: Bit, groups: Group[], selection: Uint8Array): Map<Group, number[]> {
  const result = new Map<Group, number[]>();
  const high = (byte: number) => byte >> 4;
  const low = (byte: number) => byte & 15;
  let batch: number[] = [];
  for (const group of groups) {
    const bits = new Array<number>(64).fill(0);
    result.set(group, bits);
    const kind = classOf(group);
    if (kind > selection.length - 2) throw new Error('class without codes');
    if (kind === 0) {
      if (batch.length === 0) {
        const byte = symbol(bit, `A${low(selection[0]!)}`);
        batch = Array.from({ length: 8 }, (_, i) => (byte >> i) & 1);
      }
      if (batch.shift() === 0) continue;
    }
    const selected = selection[1 + kind]!;
    const raw = selected === 0xff;
    const maskCode = kind === 0 ? `B${high(selection[0]!)}` : `A${low(selected)}`;
    const byteCode = kind === 0 ? `B${low(selected)}` : `B${high(selected)}`;
    const mask = raw ? 255 : symbol(bit, maskCode);
    for (let i = 0; i < 8; i++) {
      if (((mask >> i) & 1) === 0) continue;
      const byte = raw ? field(bit, 8) : symbol(bit, byteCode);
      for (let k = 0; k < 8; k++) bits[8 * i + k] = (byte >> k) & 1;
    }
  }
  return result;
}

interface Plane {
  c: number;
  z: number;
  signs: boolean;
  apart: boolean;
  selection: Uint8Array;
}

/** What fragments 0, 1, … , given in this order, reconstruct. */
export function decodeReference(payloads: readonly Uint8Array[], dtype: string): ReferenceTensor {
  const format = FORMATS[dtype];
  let n = 0;
  let [t, d, K, s] = [0, 0, 0, 0];
  const planes: Plane[] = [];
  let remainder: Uint8Array = new Uint8Array();
  const units: Uint8Array[] = [];
  let [cosine, relativeError] = [0, 1];
  payloads.forEach((payload, k) => {
    const bytes = new Bytes(payload);
    if (bytes.u8() !== 1) throw new Error('version');
    n = bytes.varint();
    if (bytes.varint() !== units.length) throw new Error('first unit');
    const count = bytes.varint();
    cosine = bytes.f32();
    relativeError = bytes.f32();
    if (k === 0) {
      [t, d, K] = [bytes.u8(), bytes.u8(), bytes.u8()];
      s = bytes.number(2);
      if (s >= 32768) s -= 65536;
      for (let j = 0; j < d; j++) {
        const [c, z, flags] = [bytes.u8(), bytes.u8(), bytes.u8()];
        const selection = bytes.take(flags & 63);
        planes.push({ c, z, signs: (flags & 0x80) !== 0, apart: (flags & 0x40) !== 0, selection });
      }
      remainder = bytes.take(bytes.u8());
    }
    const lengths = Array.from({ length: count }, () => bytes.varint());
    for (const length of lengths) units.push(bytes.take(length));
    if (bytes.at !== payload.length) throw new Error('bytes left over');
  });

  const tiles: Group[][] = [];
  for (let start = 0; start < n; start += 2 ** t) {
    const groups: Group[] = [];
    for (let at = start; at < Math.min(n, start + 2 ** t); at += 64) {
      const size = Math.min(64, n - at);
      const weights = Array.from({ length: size }, () => ({
        negative: false,
        significant: false,
        q: 0,
        pattern: -1,
      }));
      groups.push({ weights, count: 0, dense: false });
    }
    tiles.push(groups);
  }
  const passes: (() => (unit: Uint8Array, groups: Group[]) => void)[] = [];
  for (const plane of planes) {
    passes.push(() => (unit, groups) => planePass(unit, groups, plane));
    if (plane.signs) passes.push(() => (unit, groups) => signPass(unit, groups, K));
  }
  if (format) passes.push(() => (unit, groups) => remainderPass(unit, groups, remainder, format, s));
  const depths = tiles.map(() => 0);
  units.forEach((unit, u) => {
    const pass = Math.floor(u / tiles.length);
    const tile = u % tiles.length;
    passes[pass]!()(unit, tiles[tile]!);
    // Plane passes are those that the number of planes begun so far grows with.
    depths[tile] = planes.filter((_, j) => planePassIndex(planes, j) <= pass).length;
  });

  const values = new Float32Array(n);
  const patterns = new Float64Array(n).fill(-1);
  tiles.forEach((groups, tile) => {
    groups.forEach((group, g) => {
      group.weights.forEach((weight, i) => {
        const at = tile * 2 ** t + 64 * g + i;
        patterns[at] = weight.pattern;
        values[at] = placed(weight, group, planes[depths[tile]! - 1], s + d - depths[tile]!);
      });
    });
  });
  return { values, patterns, cosine, relativeError };
}

function planePassIndex(planes: Plane[], j: number): number {
  return j + planes.slice(0, j).filter(({ signs }) => signs).length;
}

function placed(
  { q, negative }: Weight,
  { dense }: Group,
  plane: Plane | undefined,
  exponent: number,
): number {
  if (plane === undefined) return 0;
  const inside = q > 0 ? plane.c : dense ? plane.z : 0;
  const value = Math.fround(256 * q + inside) * 2 ** (exponent - 8);
  return negative ? -value : value;
}

function planePass(unit: Uint8Array, groups: Group[], { selection, apart }: Plane): void {
  const bytes = new Bytes(unit);
  for (const group of groups.filter(({ dense }) => dense)) {
    const bits = [...bytes.take(8)].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> i) & 1));
    group.weights.forEach((weight, i) => {
      weight.q = 2 * weight.q + bits[i]!;
    });
  }
  const bit = bytes.bits();
  const coded = groups.filter(({ dense }) => !dense);
  const bitmap = codedBitmap(bit, coded, selection);
  const each = (visit: (weight: Weight, group: Group, i: number) => void) => {
    for (const group of coded) for (const [i, weight] of group.weights.entries()) visit(weight, group, i);
  };
  if (apart) {
    each((weight, group, i) => {
      if (weight.significant) bitmap.get(group)![i] = bit();
    });
  }
  const classesNow = new Map(coded.map((group) => [group, 0]));
  each((weight, group, i) => {
    const one = bitmap.get(group)![i]!;
    weight.q = 2 * weight.q + one;
    if (weight.significant || one === 0) return;
    weight.significant = true;
    weight.negative = bit() === 1;
    classesNow.set(group, classesNow.get(group)! + 1);
  });
  for (const [group, fresh] of classesNow) group.count += fresh;
}

function signPass(unit: Uint8Array, groups: Group[], threshold: number): void {
  const bit = new Bytes(unit).bits();
  for (const group of groups) {
    if (group.dense || group.count < threshold) continue;
    group.dense = true;
    for (const weight of group.weights) if (!weight.significant) weight.negative = bit() === 1;
  }
}

function remainderPass(
  unit: Uint8Array,
  groups: Group[],
  selection: Uint8Array,
  { m, e, b }: { m: number; e: number; b: number },
  s: number,
): void {
  const bytes = new Bytes(unit);
  const exceptions = Array.from({ length: bytes.varint() }, () => ({
    place: bytes.number(2),
    pattern: bytes.number((1 + e + m) / 8),
  }));
  const bit = bytes.bits();
  const L = s + b;
  const marked = selection.length > 0;
  const bitmap = marked ? codedBitmap(bit, groups, selection) : new Map<Group, number[]>();
  const signs = bit() === 1;
  const all = groups.flatMap((group) => group.weights.map((weight, i) => ({ weight, group, i })));
  for (const { weight } of all) {
    if (weight.q === 0) continue;
    const k = Math.floor(Math.log2(weight.q));
    const leading = weight.q - 2 ** k;
    const mantissa = k < m ? leading * 2 ** (m - k) + field(bit, m - k) : Math.floor(leading / 2 ** (k - m));
    weight.pattern = (L + k) * 2 ** m + mantissa;
  }
  for (const { weight, group, i } of all) {
    if (weight.q !== 0) continue;
    const zero = marked && bitmap.get(group)![i] === 0;
    if (!group.dense && (!zero || signs)) weight.negative = bit() === 1;
    weight.pattern = 0;
    if (zero) continue;
    let distance = 0;
    while (distance < 8 && bit() === 1) distance += 1;
    const exponent = distance < 8 ? L - 1 - distance : field(bit, e);
    weight.pattern = exponent * 2 ** m + field(bit, m);
  }
  for (const { weight } of all) if (weight.negative) weight.pattern += 2 ** (m + e);
  for (const { place, pattern } of exceptions) all[place]!.weight.pattern = pattern;
}
