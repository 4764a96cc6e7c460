import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { concatBytes } from '../../helpers/bytes.js';
import { type Anatomy, Cutter, fieldsOf, type Part } from '../target.js';
import { readU16, readU32, write } from './numbers.js';

/** The parts of an HCT file: `docs/formats/hct.md`. */

const HEADER_FIELDS = fieldsOf(0, 4, 4, 1, 1, 2, 8, 8, 4, 4, 1, 8, 8, 8);
const VERSION = 4;
const FLAGS = 10;
const DTYPE = 9;
const ORIGINAL_SIZE = 12;
const COMPRESSED_SIZE = 20;
const BLOCK_SIZE = 28;
const BLOCK_COUNT = 32;
const RANK = 36;
const DIMENSIONS = 37;
const CHECKSUM = 56;
const EXTENSION_MAGIC = 0x58544348;

/** Bits of an element, by the code of its dtype. */
const BITS = [32, 16, 16, 8, 4] as const;

/** Most blocks that are taken apart. */
const MAX_BLOCKS = 64;

export const hctAnatomy: Anatomy = { split, join };

function split(input: Uint8Array): readonly Part[] {
  const cutter = new Cutter(input);
  const header = cutter.take('header', 64, { fields: HEADER_FIELDS });
  const flags = flagsOf(header);
  if ((flags & 0x0004) !== 0) cutter.take('quantization', 8, { fields: fieldsOf(0, 1, 1, 2, 1, 2, 1) });
  const count = Math.min(readU32(header, BLOCK_COUNT), MAX_BLOCKS);
  const entrySize = (flags & 0x0002) !== 0 ? 16 : 8;
  const fields = Array.from({ length: count }, (_, i) => fieldsOf(i * entrySize, 4, 4)).flat();
  const index = cutter.take('index', count * entrySize, { fields });
  for (let i = 0; i < count; i++) cutter.take('block', readU32(index, i * entrySize + 4));
  if ((flags & 0x0068) !== 0) takeExtension(cutter);
  return cutter.end();
}

/** What is before the extension section, if anything, is scales. */
function takeExtension(cutter: Cutter): void {
  const rest = cutter.peek(cutter.left);
  let at = 0;
  while (at < rest.length && readU32(rest, at) !== EXTENSION_MAGIC) at++;
  if (at === rest.length) return;
  if (at > 0) cutter.take('scales', at);
  cutter.take('extension prefix', 8, { fields: fieldsOf(0, 4, 4) });
  cutter.take('extension', cutter.left - 8, { json: true });
  cutter.take('extension checksum', 8);
}

function join(parts: readonly Part[], sizes: boolean): Uint8Array {
  const copies = parts.map((part) => ({ ...part, bytes: new Uint8Array(part.bytes) }));
  const find = (kind: string) => copies.find((part) => part.kind === kind);
  const header = find('header')?.bytes ?? new Uint8Array(64);
  const blocks = copies.filter(({ kind }) => kind === 'block');
  const index = find('index');
  if (index !== undefined) {
    const entrySize = (flagsOf(header) & 0x0002) !== 0 ? 16 : 8;
    if (sizes) index.bytes = new Uint8Array(entrySize * blocks.length);
    let offset = 0;
    for (const [i, { bytes }] of blocks.entries()) {
      if (sizes) write(index.bytes, i * entrySize, 4, offset);
      if (sizes) write(index.bytes, i * entrySize + 4, 4, bytes.length);
      if (entrySize === 16) write(index.bytes, i * entrySize + 8, 8, xxh3(bytes));
      offset += bytes.length;
    }
    if (sizes) fitHeader(header, offset, blocks.length);
  }
  const extension = find('extension');
  if (extension !== undefined) {
    const quantization = concatBytes([
      find('quantization')?.bytes ?? new Uint8Array(0),
      find('scales')?.bytes ?? new Uint8Array(0),
    ]);
    extension.bytes = sealedExtension(extension.bytes, quantization);
    if (sizes) write(find('extension prefix')?.bytes ?? header.subarray(64), 4, 4, extension.bytes.length);
    const checksum = find('extension checksum');
    if (checksum !== undefined) write(checksum.bytes, 0, 8, xxh3(extension.bytes));
  }
  if ((flagsOf(header) & 0x0001) !== 0 && header.length === 64) {
    write(header, CHECKSUM, 8, xxh3(header.subarray(0, CHECKSUM)));
  }
  return concatBytes(copies.map(({ bytes }) => bytes));
}

function flagsOf(header: Uint8Array): number {
  return readU32(header, VERSION) === 2 ? readU16(header, FLAGS) : 0;
}

/** The sizes that follow from the shape and the blocks; blocks of another size, where their number asks for it. */
function fitHeader(header: Uint8Array, compressedSize: number, blocks: number): void {
  const original = originalSize(header);
  write(header, ORIGINAL_SIZE, 8, original);
  write(header, COMPRESSED_SIZE, 8, compressedSize);
  write(header, BLOCK_COUNT, 4, blocks);
  const count = Math.ceil(Number(original) / Math.max(1, readU32(header, BLOCK_SIZE)));
  if (count !== blocks && blocks > 0) write(header, BLOCK_SIZE, 4, Math.ceil(Number(original) / blocks));
}

/** Of the shape and dtype in a header. In version 2, the checksum is over the upper bytes of the third dimension. */
function originalSize(header: Uint8Array): bigint {
  let elements = 1n;
  for (let axis = 0; axis < Math.min(header[RANK] ?? 0, 3); axis++) {
    const dimension = readU32(header, DIMENSIONS + 8 * axis);
    elements *= BigInt(axis === 2 && readU32(header, VERSION) === 2 ? dimension & 0xffffff : dimension);
  }
  return (elements * BigInt(BITS[header[DTYPE] ?? 0] ?? 8) + 7n) / 8n;
}

/** The hash of metadata and scales, in the place where the JSON has one. */
function sealedExtension(json: Uint8Array<ArrayBuffer>, quantization: Uint8Array): Uint8Array<ArrayBuffer> {
  const hash = xxh3(quantization).toString(16).padStart(16, '0');
  const text = new TextDecoder().decode(json);
  const sealed = text.replace(/("quantization":")[0-9a-f]{16}"/, `$1${hash}"`);
  return sealed === text ? json : new Uint8Array(new TextEncoder().encode(sealed));
}
