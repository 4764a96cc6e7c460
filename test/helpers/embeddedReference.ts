/**
 * A second decoder of the embedded encoding, written from `docs/formats/embedded.md` alone: one weight at a time, no
 * speed, nothing shared with the product. The tables of codes are read out of the document.
 */
import { readFileSync } from 'node:fs';

/** The pattern of an F8 element. */
export function float8Pattern(dtype: string, byte: number): number {
  const { m, e } = FORMATS[dtype]!;
  const [sign, x, mantissa] = [byte >> 7, (byte & 127) >> m, byte % 2 ** m];
  const special = dtype === 'F8_E4M3' ? (byte & 127) === 127 : x === 31;
  let [E, M] = special ? [2 ** e - 1, mantissa] : [x + m, mantissa];
  if (x === 0 && mantissa === 0) E = 0;
  else if (x === 0) {
    // M / 2^m · 2^(1 + m − b) as a number that begins with 1.
    E = m;
    M *= 2;
    for (; M < 2 ** m; M *= 2) E -= 1;
    M -= 2 ** m;
  }
  return sign * 2 ** 15 + E * 2 ** m + M;
}

export interface ReferenceTensor {
  /** One a weight. */
  readonly values: Float32Array;
  /** Patterns of the elements of tiles that are complete; -1 elsewhere. Floats only. */
  readonly patterns: Float64Array;
  readonly cosine: number;
}

const FORMATS: Record<string, { m: number; e: number; b: number } | undefined> = {
  F32: { m: 23, e: 8, b: 127 },
  F16: { m: 10, e: 5, b: 15 },
  BF16: { m: 7, e: 8, b: 127 },
  F8_E4M3: { m: 3, e: 5, b: 10 },
  F8_E5M2: { m: 2, e: 6, b: 17 },
};

/** Code words ('0110') to symbols. */
type Code = Map<string, number>;

const DOCUMENT = readFileSync(new URL('../../docs/formats/embedded.md', import.meta.url), 'utf8');
const CODES = readCodes();
/** For each row of the table of fixed codes, in its order, the numbers of codes by ratio. */
const FIXED = new Map(
  [...DOCUMENT.matchAll(/^\| ([AB] of [a-z0-9=, ]+) \| ([a-x]{24}) \|$/gm)].map(([, name, letters]) => [
    name!,
    [...letters!].map((letter) => letter.charCodeAt(0) - 97),
  ]),
);

function readCodes(): Map<string, Code> {
  const codes = new Map<string, Code>();
  for (const [, name, rest] of DOCUMENT.matchAll(/^\| ([AB]\d+) \|(.*)\|$/gm)) {
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
  return canonical(symbols);
}

function canonical(symbols: { symbol: number; length: number }[]): Code {
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

  varint(): number {
    let value = 0;
    for (let i = 0; ; i++) {
      const byte = this.u8();
      value += (byte % 128) * 128 ** i;
      if (byte < 128) return value;
    }
  }

  /** A number sequence. */
  sequence(count: number): number[] {
    const bit = this.bits();
    let used = 0;
    const counted = () => {
      used += 1;
      return bit();
    };
    let k = 4;
    const numbers = Array.from({ length: count }, () => {
      let b = k;
      while (counted() === 1) b += 1;
      const z = 2 ** b + field(counted, b) - 2 ** k;
      if (b > k) k += 1;
      else if (k > 0 && z < 2 ** (k - 1)) k -= 1;
      return z % 2 === 1 ? -(z + 1) / 2 : z / 2;
    });
    this.at += Math.ceil(used / 8);
    return numbers;
  }

  /** Scales of rows or of columns. */
  scales(count: number): number[] {
    const [kind, lowest, m] = [this.u8(), this.u8(), this.u8()];
    const lengths = [...this.take(m)].flatMap((byte) => [byte & 15, byte >> 4]);
    const code = canonical(lengths.flatMap((length, symbol) => (length > 0 ? [{ symbol, length }] : [])));
    const bit = this.bits();
    let used = 0;
    const counted = () => {
      used += 1;
      return bit();
    };
    let before = 0;
    const numbers = Array.from({ length: count }, () => {
      const number = (before + lowest + symbolOf(counted, code)) % 256;
      if (kind === 1) before = number;
      return number < 128 ? number : number - 256;
    });
    this.at += Math.ceil(used / 8);
    return numbers;
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
  return symbolOf(bit, CODES.get(name)!);
}

function symbolOf(bit: Bit, code: Code): number {
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
  dense: number;
  /** Planes that are known. */
  depth: number;
  scale: number;
}

const CLASS_COUNTS = [0, 1, 2, 4, 7, 11, 16, 24, 33, 45];

function classOf({ count }: Group): number {
  return CLASS_COUNTS.filter((first) => first <= count).length - 1;
}

/** Codes of a group: of the batch, the mask, the bytes; raw; or all bytes without a mask. */
interface GroupCodes {
  batch?: string;
  mask?: string;
  bytes?: string;
}

function selectedCodes(group: Group, selection: Uint8Array): GroupCodes {
  if (group.dense > 0) return {};
  const [high, low] = [(byte: number) => byte >> 4, (byte: number) => byte & 15];
  const kind = classOf(group);
  if (kind > selection.length - 2) throw new Error('class without codes');
  const selected = selection[1 + kind]!;
  const batch = kind === 0 ? { batch: `A${low(selection[0]!)}` } : {};
  if (selected === 0xff) return batch;
  if (kind === 0) return { ...batch, mask: `B${high(selection[0]!)}`, bytes: `B${low(selected)}` };
  return { mask: `A${low(selected)}`, bytes: `B${high(selected)}` };
}

function fixedCodes(group: Group, level: number, replaced: Map<number, number>): GroupCodes {
  const ratio = Math.max(-16, Math.min(7, group.scale - 4 * level));
  const code = (name: string) => {
    const place = 24 * [...FIXED.keys()].indexOf(name) + ratio + 16;
    return `${name[0]}${replaced.get(place) ?? FIXED.get(name)![ratio + 16]}`;
  };
  if (group.dense === 1)
    return { bytes: code(`A of bytes, dense = 1, class ${Math.min(3, classOf(group))}`) };
  if (group.dense === 2) return { bytes: code('A of bytes, dense = 2') };
  const kind = Math.min(4, classOf(group));
  return {
    ...(kind === 0 ? { batch: code('A of batches') } : {}),
    mask: code(`${kind === 0 ? 'B' : 'A'} of masks, class ${kind}`),
    bytes: code(`B of bytes, class ${kind}`),
  };
}

/** Bits of the weights of the groups, by group, eight bytes each as 64 bits. */
function codedBitmap(bit: Bit, groups: Group[], codesOf: (group: Group) => GroupCodes): Map<Group, number[]> {
  const result = new Map<Group, number[]>();
  let waiting: number[] = [];
  for (const group of groups) {
    const bits = new Array<number>(64).fill(0);
    result.set(group, bits);
    const { batch, mask: maskCode, bytes } = codesOf(group);
    if (batch !== undefined) {
      if (waiting.length === 0) {
        const byte = symbol(bit, batch);
        waiting = Array.from({ length: 8 }, (_, i) => (byte >> i) & 1);
      }
      if (waiting.shift() === 0) continue;
    }
    const mask = maskCode === undefined ? 255 : symbol(bit, maskCode);
    for (let i = 0; i < 8; i++) {
      if (((mask >> i) & 1) === 0) continue;
      const byte = bytes === undefined ? field(bit, 8) : symbol(bit, bytes);
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
  fixed: boolean;
  /** Codes of the tensor by their places in the table. */
  replaced: Map<number, number>;
  /** Planes below. */
  level: number;
  selection: Uint8Array;
}

/** Groups of a unit, from number `from` to before `to`. */
interface Part {
  unit: number;
  from: number;
  to: number;
  bytes: Uint8Array;
}

/** What fragments 0, 1, … , given in this order, reconstruct. */
export function decodeReference(payloads: readonly Uint8Array[], dtype: string): ReferenceTensor {
  const format = FORMATS[dtype];
  let n = 0;
  let [t, d, K, R, D, s, base, C] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [rowScales, columnScales]: [number[], number[]] = [[], []];
  const planes: Plane[] = [];
  const replaced = new Map<number, number>();
  let remainder: Uint8Array = new Uint8Array();
  const parts: Part[] = [];
  let [unit, from] = [0, 0];
  let cosine = 0;
  payloads.forEach((payload, k) => {
    const bytes = new Bytes(payload);
    if (bytes.u8() !== 6) throw new Error('version');
    const count = bytes.varint();
    const g = bytes.varint();
    cosine = 1 - bytes.varint() / 2 ** 24;
    if (k === 0) {
      n = bytes.varint();
      const sizes = bytes.u8();
      [t, d] = [9 + (sizes & 7), sizes >> 3];
      const dense = bytes.u8();
      [K, D] = [dense & 127, 1 + (dense >> 7)];
      R = bytes.u8();
      if (R >= 128) R -= 256;
      s = bytes.number(2);
      if (s >= 32768) s -= 65536;
      base = bytes.u8();
      C = bytes.varint();
      if (C > 0) {
        const kinds = bytes.u8();
        const [ofRows, ofColumns] = [(kinds & 1) * Math.ceil(n / C), (kinds >> 1) * C];
        const all = new Bytes(bytes.take(bytes.varint()));
        if (ofRows > 0) rowScales = all.scales(ofRows);
        if (ofColumns > 0) columnScales = all.scales(ofColumns);
      }
      const differences = bytes.sequence(3 * d);
      const values = [128, 128, 0].map((first, of) => {
        let value = first;
        return differences.slice(of * d, (of + 1) * d).map((difference) => {
          value += difference;
          return value;
        });
      });
      for (let j = 0; j < d; j++) {
        const [c, z, flags] = values.map((own) => own[j]!) as [number, number, number];
        const fixed = flags < 4;
        const selection = bytes.take(fixed ? 0 : (flags >> 2) - 1);
        const [signs, apart] = [(flags & 1) !== 0, (flags & 2) !== 0];
        planes.push({ c, z, signs, apart, fixed, replaced, level: d - 1 - j, selection });
      }
      const count = bytes.varint();
      const numbers = bytes.sequence(2 * count);
      let place = 0;
      for (let i = 0; i < count; i++) {
        place += numbers[i]!;
        replaced.set(place, 16 + numbers[count + i]!);
      }
      remainder = bytes.take(bytes.u8());
    }
    let length = 0;
    const lengths = bytes.sequence(Math.max(0, count - 1)).map((difference) => {
      length += difference;
      return length;
    });
    if (count > 0) lengths.push(payload.length - bytes.at - lengths.reduce((sum, own) => sum + own, 0));
    lengths.forEach((own, i) => {
      const cut = i === count - 1 && g > 0;
      parts.push({ unit, from, to: cut ? g : Number.POSITIVE_INFINITY, bytes: bytes.take(own) });
      from = cut ? g : 0;
      if (!cut) unit += 1;
    });
    if (bytes.at !== payload.length) throw new Error('bytes left over');
  });

  const tiles: Group[][] = [];
  /** Of each tile, where its weights are in the tensor. */
  const orders: number[][] = [];
  for (let start = 0; start < n; start += 2 ** t) {
    const order = Array.from({ length: Math.min(n - start, 2 ** t) }, (_, i) => start + i);
    const rowOf = (at: number) => (C > 0 ? Math.floor(at / C) : 0);
    const rowScale = (at: number) => rowScales[rowOf(at)] ?? 0;
    const columnScale = (at: number) => columnScales[at % C] ?? 0;
    order.sort((a, b) => rowOf(a) - rowOf(b) || columnScale(b) - columnScale(a) || a - b);
    orders.push(order);
    const groups: Group[] = [];
    for (let at = 0; at < order.length; at += 64) {
      const members = order.slice(at, at + 64);
      const weights = members.map(() => ({ negative: false, significant: false, q: 0, pattern: -1 }));
      const sum = members.reduce((total, member) => total + rowScale(member) + columnScale(member), 0);
      const mean = Math.floor((2 * sum + members.length) / (2 * members.length));
      groups.push({ weights, count: 0, dense: 0, depth: 0, scale: Math.max(0, Math.min(255, base + mean)) });
    }
    tiles.push(groups);
  }
  const passes: (() => (unit: Uint8Array, groups: Group[]) => void)[] = [];
  for (const plane of planes) {
    passes.push(() => (unit, groups) => planePass(unit, groups, plane, D));
    if (plane.signs) passes.push(() => (unit, groups) => signPass(unit, groups, K, R, plane.level));
  }
  if (format) passes.push(() => (unit, groups) => remainderPass(unit, groups, remainder, format, s));
  for (const part of parts) {
    const pass = passes[Math.floor(part.unit / tiles.length)]!();
    pass(part.bytes, tiles[part.unit % tiles.length]!.slice(part.from, part.to));
  }

  const values = new Float32Array(n);
  const patterns = new Float64Array(n).fill(-1);
  tiles.forEach((groups, tile) => {
    groups.forEach((group, g) => {
      group.weights.forEach((weight, i) => {
        const at = orders[tile]![64 * g + i]!;
        patterns[at] = weight.pattern;
        values[at] = placed(weight, group, planes[group.depth - 1], s + d - group.depth);
      });
    });
  });
  return { values, patterns, cosine };
}

function placed(
  { q, negative }: Weight,
  { dense }: Group,
  plane: Plane | undefined,
  exponent: number,
): number {
  if (plane === undefined) return 0;
  const inside = q > 0 ? plane.c : dense > 0 ? plane.z : 0;
  const value = Math.fround(256 * q + inside) * 2 ** (exponent - 8);
  return negative ? -value : value;
}

function planePass(
  unit: Uint8Array,
  groups: Group[],
  { selection, apart, fixed, replaced, level }: Plane,
  codedDense: number,
): void {
  const bytes = new Bytes(unit);
  for (const group of groups.filter(({ dense }) => dense > codedDense)) {
    const bits = [...bytes.take(8)].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> i) & 1));
    group.weights.forEach((weight, i) => {
      weight.q = 2 * weight.q + bits[i]!;
    });
  }
  const bit = bytes.bits();
  const coded = groups.filter(({ dense }) => dense <= codedDense);
  const bitmap = codedBitmap(bit, coded, (group) =>
    fixed ? fixedCodes(group, level, replaced) : selectedCodes(group, selection),
  );
  const each = (visit: (weight: Weight, group: Group, i: number) => void) => {
    for (const group of coded) for (const [i, weight] of group.weights.entries()) visit(weight, group, i);
  };
  if (apart) {
    each((weight, group, i) => {
      if (weight.significant && group.dense === 0) bitmap.get(group)![i] = bit();
    });
  }
  const classesNow = new Map(coded.map((group) => [group, 0]));
  each((weight, group, i) => {
    const one = bitmap.get(group)![i]!;
    weight.q = 2 * weight.q + one;
    if (weight.significant || one === 0 || group.dense > 0) return;
    weight.significant = true;
    weight.negative = bit() === 1;
    classesNow.set(group, classesNow.get(group)! + 1);
  });
  for (const group of groups) group.depth += 1;
  for (const [group, fresh] of classesNow) {
    group.count += fresh;
    if (group.dense > 0) group.dense += 1;
  }
}

function signPass(unit: Uint8Array, groups: Group[], threshold: number, ratio: number, level: number): void {
  const bit = new Bytes(unit).bits();
  for (const group of groups) {
    if (group.dense > 0 || (group.count < threshold && group.scale - 4 * level < ratio)) continue;
    group.dense = 1;
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
    pattern: bytes.number(m === 23 ? 4 : 2),
  }));
  const bit = bytes.bits();
  const L = s + b;
  const f8 = m < 7;
  const marked = selection.length > 0;
  const bitmap = marked
    ? codedBitmap(bit, groups, (group) => selectedCodes({ ...group, dense: 0 }, selection))
    : new Map<Group, number[]>();
  const signs = bit() === 1;
  const all = groups.flatMap((group) => group.weights.map((weight, i) => ({ weight, group, i })));
  for (const { weight } of all) {
    if (weight.q === 0) continue;
    const k = Math.floor(Math.log2(weight.q));
    const leading = weight.q - 2 ** k;
    const stored = k < m && !(f8 && L === 1) ? field(bit, m - k) : 0;
    const mantissa = Math.floor(leading * 2 ** (m - k)) + stored;
    weight.pattern = (L + k) * 2 ** m + mantissa;
  }
  for (const { weight, group, i } of all) {
    if (weight.q !== 0) continue;
    const zero = marked && bitmap.get(group)![i] === 0;
    if (group.dense === 0 && (!zero || signs)) weight.negative = bit() === 1;
    weight.pattern = 0;
    if (zero) continue;
    let distance = 0;
    while (distance < 8 && bit() === 1) distance += 1;
    const exponent = distance < 8 ? L - 1 - distance : field(bit, e);
    const bits = f8 ? Math.max(0, Math.min(m, exponent - 1)) : m;
    weight.pattern = exponent * 2 ** m + field(bit, bits) * 2 ** (m - bits);
  }
  for (const { weight } of all) if (weight.negative) weight.pattern += m === 23 ? 2 ** 31 : 2 ** 15;
  for (const { place, pattern } of exceptions) all[place]!.weight.pattern = pattern;
}
