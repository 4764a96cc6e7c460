import { pushVarint } from '../../../src/bytes/varint.js';
import { concatBytes } from '../../helpers/bytes.js';
import { type Anatomy, Cutter, fieldsOf, type Part } from '../target.js';
import { readU32, u32 } from './numbers.js';

/**
 * The parts of payloads of the embedded encoding, see `docs/formats/embedded.md`: of each fragment its head, the stream
 * header in the first, and the units.
 */

/** Version, three varints of one to nine bytes, two floats. */
const HEAD_FIELDS = fieldsOf(0, 1, 1, 1, 1, 1, 1);
const STREAM_FIELDS = fieldsOf(0, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);

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
  let at = 1;
  let count = 0;
  for (let i = 0; i < 3; i++) [count, at] = varint(fragment, at);
  at += 8;
  cutter.take('head', at, { fields: HEAD_FIELDS });
  if (first) {
    const length = streamLength(fragment.subarray(at));
    cutter.take('stream', length, { fields: STREAM_FIELDS });
    at += length;
  }
  const lengths: number[] = [];
  const start = at;
  for (let i = 0; i < count && at < fragment.length; i++) {
    const [length, next] = varint(fragment, at);
    lengths.push(length);
    at = next;
  }
  cutter.take('lengths', at - start);
  for (const length of lengths) {
    const bytes = Math.min(length, fragment.length - at);
    cutter.take('unit', bytes);
    at += bytes;
  }
  if (at < fragment.length) cutter.take('unit', fragment.length - at);
}

function streamLength(bytes: Uint8Array): number {
  let at = 5;
  for (let planes = bytes[1] ?? 0; planes > 0 && at < bytes.length; planes--)
    at += 3 + (bytes[at + 2]! & 0x3f);
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
    units += fragment.units;
    out.push(u32(fragment.bytes.length), fragment.bytes);
    at = end < 0 ? parts.length : end;
  }
  return concatBytes(out);
}

function joinFragment(
  parts: readonly Part[],
  elements: number,
  first: number,
): { bytes: Uint8Array; units: number } {
  const units = parts.filter(({ kind }) => kind === 'unit');
  const bytes: Uint8Array[] = [];
  for (const part of parts) {
    if (part.kind === 'head') {
      const head = [part.bytes[0] ?? 1];
      for (const number of [elements, first, units.length]) pushVarint(head, number);
      bytes.push(Uint8Array.from(head), part.bytes.subarray(-8));
    } else if (part.kind === 'lengths') {
      const lengths: number[] = [];
      for (const unit of units) pushVarint(lengths, unit.bytes.length);
      bytes.push(Uint8Array.from(lengths));
    } else bytes.push(part.bytes);
  }
  return { bytes: concatBytes(bytes), units: units.length };
}
