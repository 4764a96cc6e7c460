import { makeStates, oneState, type States } from '../../src/kernels/zstd/portable/fse.js';
import { LITERALS_LENGTH, MATCH_LENGTH, OFFSET, type SequenceCodes } from '../../src/kernels/zstd/tables.js';

/** Writes Zstandard frames that are valid and that no encoder makes, from what a random generator chooses. */

const MAX_BLOCK = 2 ** 17;

export const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** A frame with a window of 2^`windowLog` bytes, without content size and checksum. */
export function zstdFrame(blocks: readonly Uint8Array[], windowLog = 20): Uint8Array {
  return Uint8Array.from([...ZSTD_MAGIC, 0, (windowLog - 10) << 3, ...blocks.flatMap((block) => [...block])]);
}

export type BlockType = 'raw' | 'rle' | 'compressed';

/** @param size of an RLE block: how often its byte is repeated */
export function zstdBlock(type: BlockType, content: ArrayLike<number>, last: boolean, size = content.length) {
  const header = (size << 3) | (['raw', 'rle', 'compressed'].indexOf(type) << 1) | Number(last);
  return Uint8Array.from([header & 255, (header >> 8) & 255, header >> 16, ...Array.from(content)]);
}

export function skippableFrame(content: readonly number[], number = 0): Uint8Array {
  return Uint8Array.from([0x50 | number, 0x2a, 0x4d, 0x18, content.length, 0, 0, 0, ...content]);
}

type Field = readonly [value: number, width: number];

/** A stream that is read backwards: the first field is read first. */
export function backwardBits(fields: readonly Field[]): number[] {
  let bits = 1n;
  for (const [value, width] of fields) bits = (bits << BigInt(width)) | BigInt(value);
  const bytes: number[] = [];
  for (; bits > 0n; bits >>= 8n) bytes.push(Number(bits & 255n));
  return bytes;
}

/** A distribution: the accuracy less 5, then a value for each symbol. */
export function distributionBytes(counts: readonly number[], log: number): number[] {
  const fields: Field[] = [[log - 5, 4]];
  let remaining = 2 ** log + 1;
  let threshold = 2 ** log;
  let width = log + 1;
  for (let symbol = 0; symbol < counts.length; ) {
    const count = counts[symbol++]!;
    const small = 2 * threshold - 1 - remaining;
    const value = count + 1;
    if (value < small) fields.push([value, width - 1]);
    else fields.push([value < threshold ? value : value + small, width]);
    remaining -= Math.abs(count);
    if (count === 0) {
      let zeros = 0;
      while (counts[symbol + zeros] === 0) zeros++;
      symbol += zeros;
      for (; zeros >= 3; zeros -= 3) fields.push([3, 2]);
      fields.push([zeros, 2]);
    }
    while (remaining < threshold && threshold > 1) {
      width--;
      threshold /= 2;
    }
  }
  let bits = 0n;
  let at = 0n;
  for (const [value, length] of fields) {
    bits |= BigInt(value) << at;
    at += BigInt(length);
  }
  return Array.from({ length: Math.ceil(Number(at) / 8) }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n));
}

/** What lasts from block to block. */
interface FrameState {
  content: number[];
  offsets: [number, number, number];
  tables: (Table | undefined)[];
  huffman: Huffman | undefined;
}

interface Table {
  readonly states: States;
  /** The codes that it has. */
  readonly codes: readonly number[];
}

interface Huffman {
  /** By symbol: its code and how many bits that has. */
  readonly codes: ReadonlyMap<number, Field>;
}

const KINDS: readonly SequenceCodes[] = [LITERALS_LENGTH, OFFSET, MATCH_LENGTH];

/** A random frame of some blocks, with what it decodes to. */
export function randomZstdFrame(random: () => number): { frame: Uint8Array; content: Uint8Array } {
  const below = (n: number) => Math.floor(random() * n);
  const state: FrameState = { content: [], offsets: [1, 4, 8], tables: [], huffman: undefined };
  const blocks: Uint8Array[] = [];
  const count = 1 + below(5);
  for (let i = 1; i <= count; i++) blocks.push(randomBlock(state, below, i === count));
  return { frame: zstdFrame(blocks), content: Uint8Array.from(state.content) };
}

type Below = (n: number) => number;

function randomBlock(state: FrameState, below: Below, last: boolean): Uint8Array {
  const kind = below(8);
  const bytes = Array.from({ length: below(3) * below(40) }, () => below(256));
  if (kind === 0) {
    state.content.push(...bytes);
    return zstdBlock('raw', bytes, last);
  }
  if (kind === 1) {
    state.content.push(...bytes.map(() => 7));
    return zstdBlock('rle', [7], last, bytes.length);
  }
  const literals = randomLiterals(state, below);
  const sequences = randomSequences(state, literals.content, below);
  return zstdBlock('compressed', [...literals.bytes, ...sequences], last);
}

function randomLiterals(state: FrameState, below: Below): { bytes: number[]; content: number[] } {
  const kind = below(5);
  const length = below(4) * below(60);
  if (kind < 2) {
    const content = kind === 0 ? Array.from({ length }, () => below(256)) : Array(length).fill(below(256));
    const stored = kind === 0 ? content : [content[0] ?? 9];
    return { bytes: [...plainHeader(kind, length, below), ...stored], content };
  }
  const treeless = kind === 4 && state.huffman !== undefined;
  const description: number[] = [];
  if (!treeless) state.huffman = randomHuffman(description, below);
  const symbols = [...state.huffman!.codes.keys()];
  const content = Array.from({ length: 1 + length }, () => symbols[below(symbols.length)]!);
  const four = content.length >= 6 && below(2) === 0;
  const streams = four ? fourStreams(content, state.huffman!) : stream(content, state.huffman!);
  const size = description.length + streams.length;
  const format = four ? 1 + below(3) : 0;
  const width = [10, 10, 14, 18][format]!;
  const header =
    (BigInt(size) << BigInt(4 + width)) | BigInt((content.length << 4) | (format << 2) | (treeless ? 3 : 2));
  const headerBytes = Array.from({ length: (4 + 2 * width) / 8 }, (_, i) =>
    Number((header >> BigInt(8 * i)) & 255n),
  );
  return { bytes: [...headerBytes, ...description, ...streams], content };
}

/** Any of the lengths that the header can have, not only the shortest. */
function plainHeader(type: number, length: number, below: Below): number[] {
  const form = length < 32 ? below(3) : 1 + below(2);
  if (form === 0) return [(length << 3) | type];
  const format = form === 1 ? 1 : 3;
  const header = (length << 4) | (format << 2) | type;
  return form === 1 ? [header & 255, header >> 8] : [header & 255, (header >> 8) & 255, header >> 16];
}

function randomHuffman(description: number[], below: Below): Huffman {
  // Leaves of a tree, split at random; the longest codes then come in pairs.
  const lengths = [1, 1];
  for (let splits = below(20); splits > 0; splits--) {
    const leaf = below(lengths.length);
    if (lengths[leaf]! < 11) lengths.splice(leaf, 1, lengths[leaf]! + 1, lengths[leaf]! + 1);
  }
  const bits = Math.max(...lengths);
  const symbols = new Set<number>();
  while (symbols.size < lengths.length) symbols.add(below(129));
  const sorted = [...symbols].sort((a, b) => a - b);
  const weights = new Map(sorted.map((symbol, i) => [symbol, bits + 1 - lengths[i]!]));
  const implied = sorted.at(-1)!;
  const plain = Array.from({ length: implied }, (_, symbol) => weights.get(symbol) ?? 0);
  description.push(127 + plain.length);
  for (let i = 0; i < plain.length; i += 2) description.push((plain[i]! << 4) | (plain[i + 1] ?? 0));
  const codes = new Map<number, Field>();
  let place = 0;
  for (let weight = 1; weight <= bits; weight++) {
    for (const symbol of sorted) {
      if (weights.get(symbol) !== weight) continue;
      codes.set(symbol, [place >> (weight - 1), bits + 1 - weight]);
      place += 2 ** (weight - 1);
    }
  }
  return { codes };
}

function stream(content: readonly number[], { codes }: Huffman): number[] {
  return backwardBits(content.map((symbol) => codes.get(symbol)!));
}

function fourStreams(content: readonly number[], huffman: Huffman): number[] {
  const part = Math.ceil(content.length / 4);
  const parts = [0, 1, 2, 3].map((i) =>
    stream(content.slice(i * part, i === 3 ? undefined : (i + 1) * part), huffman),
  );
  const sizes = parts.slice(0, 3).flatMap(({ length }) => [length & 255, length >> 8]);
  return [...sizes, ...parts.flat()];
}

/** Decodes as it writes: each sequence is chosen among those that are valid at its place. */
function randomSequences(state: FrameState, literals: readonly number[], below: Below): number[] {
  const count = below(3) === 0 ? 0 : below(12);
  const left = [...literals];
  if (count === 0) {
    state.content.push(...left);
    return below(2) === 0 ? [0] : [0x80, 0];
  }
  const before = [...state.tables];
  const modes = KINDS.map((_, kind) => below(state.tables[kind] === undefined ? 3 : 4));
  const described = KINDS.flatMap((codes, kind) => describe(state, kind, codes, modes[kind]!, below));
  const [literalsTable, offsetTable, matchTable] = state.tables as [Table, Table, Table];
  const start = state.content.length;
  const steps: { codes: [number, number, number]; extra: Field[] }[] = [];
  for (let i = 0; i < count; i++) {
    const step = randomStep(state, left, below, literalsTable, offsetTable, matchTable, start);
    if (step === undefined) break;
    steps.push(step);
  }
  state.content.push(...left);
  if (steps.length === 0) {
    // None fits these tables, and a block without sequences has none.
    state.tables = before;
    return [0];
  }
  const header = below(2) === 0 ? [steps.length] : [0x80, steps.length];
  const modeByte = (modes[0]! << 6) | (modes[1]! << 4) | (modes[2]! << 2);
  return [...header, modeByte, ...described, ...sequenceBits(steps, state.tables as Table[])];
}

/** Mode 0: predefined; 1: one code; 2: a distribution; 3: the table of an earlier block. */
function describe(
  state: FrameState,
  kind: number,
  codes: SequenceCodes,
  mode: number,
  below: Below,
): number[] {
  // Offsets of 64 KiB and more have no place in contents as small as these.
  const usable = kind === 1 ? 6 : codes.bits.length;
  if (mode === 3) return [];
  if (mode === 0) {
    state.tables[kind] = {
      states: makeStates(codes, 0),
      codes: Array.from(codes.counts, (_, code) => code).filter((code) => kind !== 1 || code < usable),
    };
    return [];
  }
  if (mode === 1) {
    const code = below(Math.min(usable, 20));
    state.tables[kind] = { states: oneState(code), codes: [code] };
    return [code];
  }
  const log = 5 + below(codes.maxLog - 4);
  const counts = new Int16Array(codes.bits.length);
  let rest = 2 ** log;
  const highest = 1 + below(Math.min(usable, 20));
  for (let code = 0; code < highest && rest > 1; code++) {
    const value = below(4) === 0 ? -1 : below(Math.min(rest, 12));
    counts[code] = value;
    rest -= Math.abs(value);
  }
  counts[highest] = rest;
  const used = Array.from(counts.keys()).filter((code) => counts[code] !== 0);
  state.tables[kind] = { states: makeStates({ counts, log }, 0), codes: used };
  return distributionBytes([...counts.subarray(0, highest + 1)], log);
}

function randomStep(
  state: FrameState,
  left: number[],
  below: Below,
  literalsTable: Table,
  offsetTable: Table,
  matchTable: Table,
  start: number,
): { codes: [number, number, number]; extra: Field[] } | undefined {
  const { content, offsets } = state;
  for (let tries = 0; tries < 30; tries++) {
    const pick = ({ codes }: Table) => codes[below(codes.length)]!;
    const [literalsCode, offsetCode, matchCode] = [pick(literalsTable), pick(offsetTable), pick(matchTable)];
    const extraOf = (kind: SequenceCodes, code: number) => below(2 ** Math.min(kind.bits[code]!, 8));
    const extras = [
      extraOf(LITERALS_LENGTH, literalsCode),
      extraOf(OFFSET, offsetCode),
      extraOf(MATCH_LENGTH, matchCode),
    ] as const;
    const literalsLength = LITERALS_LENGTH.bases[literalsCode]! + extras[0];
    const value = OFFSET.bases[offsetCode]! + extras[1];
    const matchLength = MATCH_LENGTH.bases[matchCode]! + extras[2];
    const next = nextOffsets(value, literalsLength === 0, offsets);
    const reach = content.length + literalsLength;
    if (literalsLength > left.length || next[0] < 1 || next[0] > reach) continue;
    if (reach + matchLength + left.length - start > MAX_BLOCK || matchLength > 2000) continue;
    content.push(...left.splice(0, literalsLength));
    for (let i = 0; i < matchLength; i++) content.push(content[content.length - next[0]]!);
    state.offsets = next;
    return {
      codes: [literalsCode, offsetCode, matchCode],
      extra: [
        [extras[1], OFFSET.bits[offsetCode]!],
        [extras[2], MATCH_LENGTH.bits[matchCode]!],
        [extras[0], LITERALS_LENGTH.bits[literalsCode]!],
      ],
    };
  }
  return undefined;
}

/** The repeated offsets, as RFC 8878 tells them in section 3.1.1.5. */
function nextOffsets(
  value: number,
  noLiterals: boolean,
  [a, b, c]: readonly [number, number, number],
): [number, number, number] {
  if (value > 3) return [value - 3, a, b];
  const which = value + (noLiterals ? 1 : 0);
  if (which === 1) return [a, b, c];
  if (which === 2) return [b, a, c];
  if (which === 3) return [c, a, b];
  return [a - 1, a, b];
}

/** The initial states, then for each sequence its further bits and, except for the last, the steps to the next states. */
function sequenceBits(
  steps: readonly { codes: [number, number, number]; extra: Field[] }[],
  tables: readonly Table[],
): number[] {
  const moves = tables.map(({ states }, kind) =>
    walk(
      states,
      steps.map(({ codes }) => codes[kind]!),
    ),
  );
  const fields: Field[] = tables.map(({ states }, kind) => [moves[kind]!.first, states.log]);
  for (const [i, { extra }] of steps.entries()) {
    fields.push(...extra);
    if (i === steps.length - 1) break;
    for (const kind of [0, 2, 1]) fields.push(moves[kind]!.steps[i]!);
  }
  return backwardBits(fields);
}

/** Chooses states backwards: for each code, exactly one state leads to the next one. */
function walk({ entries }: States, codes: readonly number[]): { first: number; steps: Field[] } {
  const steps: Field[] = [];
  let state = entries.findIndex((entry) => (entry & 255) === codes.at(-1));
  for (let i = codes.length - 2; i >= 0; i--) {
    const next = state;
    state = entries.findIndex((entry) => {
      const base = entry >>> 16;
      return (entry & 255) === codes[i] && base <= next && next < base + 2 ** ((entry >> 8) & 255);
    });
    const entry = entries[state]!;
    steps.unshift([next - (entry >>> 16), (entry >> 8) & 255]);
  }
  return { first: state, steps };
}
