import { FieldReader } from '../../../src/bytes/fieldReader.js';
import { pushVarint } from '../../../src/bytes/varint.js';
import { packNumbers, readNumbers } from '../../../src/encodings/embedded/signedNumbers.js';
import { concatBytes } from '../../helpers/bytes.js';
import { type Anatomy, Cutter, fieldsOf, type Part } from '../target.js';
import { readU32, u32 } from './numbers.js';

/**
 * The parts of payloads of the embedded encoding, see `docs/formats/embedded.md`: of each fragment its head, the stream
 * header in the first, and the units.
 */

/** Version, four varints of one to nine bytes, two floats. */
const HEAD_FIELDS = fieldsOf(0, 1, 1, 1, 1, 1, 1, 1);
const HEAD_VARINTS = 4;
/** Size of tiles, planes, the two rules of dense groups, how many of their planes are coded, scale, base; then those of rows. */
const STREAM_FIELDS = fieldsOf(0, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1);
const BEFORE_SCALES = 8;

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
  let at = end + 8;
  cutter.take('head', at, { fields: HEAD_FIELDS });
  if (first) {
    const length = streamLength(fragment.subarray(at));
    cutter.take('stream', length, { fields: STREAM_FIELDS });
    at += length;
  }
  const start = at;
  const differences = new FieldReader(fragment.subarray(start), 'lengths');
  const lengths = lengthsOf(differences, numbers[2]!);
  at += differences.position;
  cutter.take('lengths', at - start);
  for (const length of lengths) {
    const bytes = Math.min(length, fragment.length - at);
    cutter.take('unit', bytes);
    at += bytes;
  }
  if (at < fragment.length) cutter.take('unit', fragment.length - at);
}

/** The number of weights, of the first unit, of units, and of groups; and where they end. */
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

/** None where they cannot be read. */
function lengthsOf(fields: FieldReader, count: number): number[] {
  let length = 0;
  try {
    return [...readNumbers(fields, count)].map((difference) => {
      length += difference;
      return Math.max(0, length);
    });
  } catch {
    return [];
  }
}

function streamLength(bytes: Uint8Array): number {
  const [rowLength, afterLength] = varint(bytes, BEFORE_SCALES);
  let at = afterLength;
  if (rowLength > 0) {
    const [size, start] = varint(bytes, at + 1);
    at = start + size;
  }
  for (let planes = bytes[1] ?? 0; planes > 0 && at < bytes.length; planes--) {
    const length = bytes[at + 2]! & 0x3f;
    // 63: fixed codes.
    at += 3 + (length === 0x3f ? 0 : length);
  }
  return at + 1 + (bytes[at] ?? 0);
}

function varint(bytes: Uint8Array, start: number): [value: number, end: number] {
  let value = 0;
  for (let at = start, factor = 1; at < bytes.length; at++, factor *= 128) {
    value += (bytes[at]! & 0x7f) * factor;
    if (bytes[at]! < 0x80) return [value, at + 1];
  }
  return [value, bytes.length];
}

/** With sizes, the lengths of fragments and units, and the numbers of units, are those of the parts. */
function join(parts: readonly Part[], sizes: boolean): Uint8Array {
  if (!sizes) return concatBytes(parts.map(({ bytes }) => bytes));
  const out: Uint8Array[] = [];
  let elements = 0;
  let units = 0;
  for (let at = 0; at < parts.length; ) {
    const { kind, bytes } = parts[at]!;
    at += 1;
    if (kind !== 'length') {
      out.push(bytes);
      if (kind === 'tensor') elements = readU32(bytes, 4);
      continue;
    }
    const end = parts.findIndex((part, i) => i >= at && part.kind === 'length');
    const fragment = joinFragment(parts.slice(at, end < 0 ? parts.length : end), elements, units);
    // One that is cut goes on in the next fragment.
    units += fragment.units - (fragment.isCut ? 1 : 0);
    out.push(u32(fragment.bytes.length), fragment.bytes);
    at = end < 0 ? parts.length : end;
  }
  return concatBytes(out);
}

function joinFragment(
  parts: readonly Part[],
  elements: number,
  first: number,
): { bytes: Uint8Array; units: number; isCut: boolean } {
  const units = parts.filter(({ kind }) => kind === 'unit');
  const bytes: Uint8Array[] = [];
  let groups = 0;
  for (const part of parts) {
    if (part.kind === 'head') {
      const head = [part.bytes[0] ?? 1];
      groups = headOf(part.bytes).numbers[HEAD_VARINTS - 1]!;
      for (const number of [elements, first, units.length, groups]) pushVarint(head, number);
      bytes.push(Uint8Array.from(head), part.bytes.subarray(-8));
    } else if (part.kind === 'lengths') {
      bytes.push(packNumbers(units.map((unit, i) => unit.bytes.length - (units[i - 1]?.bytes.length ?? 0))));
    } else bytes.push(part.bytes);
  }
  return { bytes: concatBytes(bytes), units: units.length, isCut: groups > 0 };
}
