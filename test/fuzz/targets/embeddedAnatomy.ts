import { FieldReader } from '../../../src/bytes/fieldReader.js';
import { pushVarint, readVarint } from '../../../src/bytes/varint.js';
import { packNumbers, readNumbers } from '../../../src/encodings/embedded/signedNumbers.js';
import { concatBytes } from '../../helpers/bytes.js';
import { type Anatomy, Cutter, fieldsOf, type Part } from '../target.js';
import { readU32, u32 } from './numbers.js';

/**
 * The parts of payloads of the embedded encoding, see `docs/formats/embedded.md`: of each fragment its head, the stream
 * header in the first, and the units.
 */

/** Version, and three varints. */
const HEAD_FIELDS = fieldsOf(0, 1, 1, 1, 1);
const HEAD_VARINTS = 3;
/** Weights; tiles and planes, the two rules of dense groups, scale, base; then those of rows. */
const STREAM_FIELDS = fieldsOf(0, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1);
const BEFORE_SCALES = 6;

export const embeddedAnatomy: Anatomy = { split, join };

function split(input: Uint8Array): readonly Part[] {
  const cutter = new Cutter(input);
  cutter.take('tensor', 8, { fields: fieldsOf(0, 4, 4) });
  for (let first = true; cutter.left >= 4; first = false) {
    const length = readU32(cutter.peek(4), 0);
    const fragment = cutter.peek(4 + length).subarray(4);
    cutter.take('length', 4, { fields: fieldsOf(0, 4) });
    splitFragment(cutter, fragment, first);
  }
  return cutter.parts;
}

function splitFragment(cutter: Cutter, fragment: Uint8Array, first: boolean): void {
  const { numbers, end } = headOf(fragment);
  let at = end;
  cutter.take('head', at, { fields: HEAD_FIELDS });
  if (first) {
    const length = streamLength(fragment.subarray(at));
    cutter.take('stream', length, { fields: STREAM_FIELDS });
    at += length;
  }
  const start = at;
  const differences = new FieldReader(fragment.subarray(start), 'lengths');
  const lengths = lengthsOf(differences, Math.max(0, numbers[0]! - 1));
  at += differences.position;
  cutter.take('lengths', at - start);
  for (const length of lengths) {
    const bytes = Math.min(length, fragment.length - at);
    cutter.take('unit', bytes);
    at += bytes;
  }
  if (at < fragment.length) cutter.take('unit', fragment.length - at);
}

/** The number of units, of groups, and of steps from a cosine of 1; and where they end. */
function headOf(fragment: Uint8Array): { numbers: number[]; end: number } {
  const numbers: number[] = [];
  let end = 1;
  for (let i = 0; i < HEAD_VARINTS; i++) {
    const [number, next] = varint(fragment, end);
    numbers.push(number);
    end = next;
  }
  return { numbers, end };
}

function lengthsOf(fields: FieldReader, count: number): number[] {
  let length = 0;
  return numbersOf(fields, count).map((difference) => {
    length += difference;
    return Math.max(0, length);
  });
}

/** None where they cannot be read. */
function numbersOf(fields: FieldReader, count: number): number[] {
  try {
    return [...readNumbers(fields, count)];
  } catch {
    return [];
  }
}

function streamLength(bytes: Uint8Array): number {
  const [, sizes] = varint(bytes, 0);
  const depth = (bytes[sizes] ?? 0) >> 3;
  const [rowLength, afterLength] = varint(bytes, sizes + BEFORE_SCALES);
  let at = afterLength;
  if (rowLength > 0) {
    const [size, start] = varint(bytes, at + 1);
    at = start + size;
  }
  const values = new FieldReader(bytes.subarray(at), 'planes');
  let flags = 0;
  for (const difference of numbersOf(values, 3 * depth).slice(2 * depth)) {
    flags += difference;
    // Without fixed codes, the length of a selection and 1.
    at += Math.max(0, (flags >> 2) - 1);
  }
  at += values.position;
  const [replaced, codes] = varint(bytes, at);
  const numbers = new FieldReader(bytes.subarray(codes), 'codes');
  numbersOf(numbers, 2 * Math.min(replaced, bytes.length));
  at = codes + numbers.position;
  return at + 1 + (bytes[at] ?? 0);
}

/** What ends within it, or does not end, counts as 0, up to the end. */
function varint(bytes: Uint8Array, start: number): [value: number, end: number] {
  const { value, end } = readVarint(bytes, start) ?? { value: 0, end: bytes.length };
  return [value, end];
}

/** With sizes, the lengths of fragments and units, and the numbers of units, are those of the parts. */
function join(parts: readonly Part[], sizes: boolean): Uint8Array {
  if (!sizes) return concatBytes(parts.map(({ bytes }) => bytes));
  const out: Uint8Array[] = [];
  for (let at = 0; at < parts.length; ) {
    const { kind, bytes } = parts[at]!;
    at += 1;
    if (kind !== 'length') {
      out.push(bytes);
      continue;
    }
    const end = parts.findIndex((part, i) => i >= at && part.kind === 'length');
    const fragment = joinFragment(parts.slice(at, end < 0 ? parts.length : end));
    out.push(u32(fragment.length), fragment);
    at = end < 0 ? parts.length : end;
  }
  return concatBytes(out);
}

function joinFragment(parts: readonly Part[]): Uint8Array {
  const units = parts.filter(({ kind }) => kind === 'unit');
  const bytes: Uint8Array[] = [];
  for (const part of parts) {
    if (part.kind === 'head') {
      const head = [part.bytes[0] ?? 1];
      const [, groups, steps] = headOf(part.bytes).numbers;
      for (const number of [units.length, groups!, steps!]) pushVarint(head, number);
      bytes.push(Uint8Array.from(head));
    } else if (part.kind === 'lengths') {
      const stored = units.slice(0, -1);
      bytes.push(packNumbers(stored.map((unit, i) => unit.bytes.length - (units[i - 1]?.bytes.length ?? 0))));
    } else bytes.push(part.bytes);
  }
  return concatBytes(bytes);
}
