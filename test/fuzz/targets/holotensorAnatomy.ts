import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { concatBytes } from '../../helpers/bytes.js';
import { type Anatomy, Cutter, type Field, fieldsOf, type Part } from '../target.js';
import { readU16, readU32, write } from './numbers.js';

/** The parts of a HoloTensor file: `docs/formats/holotensor.md`. */

const HEADER_FIELDS = fieldsOf(0, 4, 4, 1, 1, 2, 2, 2, 8, 8, 1, 1, 8, 8, 8, 8, 4, 4, 4, 4, 4, 2, 8);
const HEADER_SIZE = 96;
const ENCODING = 8;
const FLAGS = 10;
const FRAGMENTS = 12;
const ORIGINAL_SIZE = 16;
const DTYPE = 32;
const RANK = 33;
const DIMENSIONS = 34;
const CHECKSUM = 88;
const ENTRY_SIZE = 24;
const EMBEDDED = 16;

/** Bits of an element, by the code of its dtype. */
const BITS = [32, 16, 16, 8, 4] as const;

/** Most fragments that are taken apart. */
const MAX_FRAGMENTS = 64;

/** The numbers at the beginning of a payload. */
const PAYLOAD_WORDS: readonly Field[] = Array.from({ length: 24 }, (_, i) => ({ offset: 4 * i, size: 4 }));
const PAYLOAD_BYTES: readonly Field[] = Array.from({ length: 64 }, (_, i) => ({ offset: i, size: 1 }));

export const holoAnatomy: Anatomy = { split, join };

function split(input: Uint8Array): readonly Part[] {
  const cutter = new Cutter(input);
  const header = cutter.take('header', HEADER_SIZE, { fields: HEADER_FIELDS });
  if ((readU16(header, FLAGS) & 0x0004) !== 0) {
    cutter.take('quantization', 8, { fields: fieldsOf(0, 1, 1, 2, 1, 2, 1) });
  }
  const count = Math.min(Math.max(1, readU16(header, FRAGMENTS)), MAX_FRAGMENTS);
  const fields = Array.from({ length: count }, (_, i) => fieldsOf(i * ENTRY_SIZE, 2, 2, 4, 4, 4)).flat();
  const index = cutter.take('index', count * ENTRY_SIZE, { fields });
  const payload = header[ENCODING] === EMBEDDED ? PAYLOAD_BYTES : PAYLOAD_WORDS;
  for (let i = 0; i < count; i++) {
    cutter.take('fragment', readU32(index, i * ENTRY_SIZE + 8), { fields: payload });
  }
  return cutter.end();
}

function join(parts: readonly Part[], sizes: boolean): Uint8Array {
  const copies = parts.map(({ kind, bytes }) => ({ kind, bytes: new Uint8Array(bytes) }));
  const header = copies.find(({ kind }) => kind === 'header')?.bytes ?? new Uint8Array(0);
  const index = copies.find(({ kind }) => kind === 'index');
  const fragments = copies.filter(({ kind }) => kind === 'fragment');
  if (index !== undefined) {
    if (sizes) index.bytes = resized(index.bytes, fragments.length);
    fillIndex(index.bytes, fragments, sizes);
  }
  if (sizes) {
    write(header, FRAGMENTS, 2, fragments.length);
    write(header, ORIGINAL_SIZE, 8, originalSize(header));
  }
  sealHoloHeader(header);
  return concatBytes(copies.map(({ bytes }) => bytes));
}

function resized(index: Uint8Array, fragments: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ENTRY_SIZE * fragments);
  bytes.set(index.subarray(0, bytes.length));
  return bytes;
}

function fillIndex(
  index: Uint8Array,
  fragments: readonly { readonly bytes: Uint8Array }[],
  sizes: boolean,
): void {
  let offset = 0;
  for (const [i, { bytes }] of fragments.entries()) {
    const entry = i * ENTRY_SIZE;
    if (sizes) {
      write(index, entry, 2, i);
      write(index, entry + 4, 4, offset);
      write(index, entry + 8, 4, bytes.length);
      // Of a fragment that is not compressed.
      if ((readU16(index, entry + 2) & 3) === 0) write(index, entry + 12, 4, bytes.length);
    }
    write(index, entry + 16, 8, xxh3(bytes));
    offset += bytes.length;
  }
}

/** Of the shape and dtype in a header. */
function originalSize(header: Uint8Array): bigint {
  let elements = 1n;
  for (let axis = 0; axis < Math.min(header[RANK] ?? 0, 4); axis++) {
    elements *= BigInt(readU32(header, DIMENSIONS + 8 * axis));
  }
  return (elements * BigInt(BITS[header[DTYPE] ?? 0] ?? 8) + 7n) / 8n;
}

export function sealHoloHeader(header: Uint8Array): void {
  if (header.length >= HEADER_SIZE) write(header, CHECKSUM, 8, xxh3(header.subarray(0, CHECKSUM)));
}
