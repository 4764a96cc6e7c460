import { corrupt } from '../corrupt.js';
import type { Input } from './bits.js';
import { decodeStream, type HuffmanTable, readHuffman } from './huffman.js';

/** Fewer literals are in one stream: of four, the first three would have more than there are. */
const MIN_FOUR_STREAMS = 6;

export interface Literals {
  readonly bytes: Uint8Array;
  /** For this block and later ones that refer to it. */
  readonly huffman: HuffmanTable | undefined;
  /** The end of the section. */
  readonly end: number;
}

/**
 * The literals section of a compressed block (RFC 8878, section 3.1.1.3.1).
 * @throws CodecError
 */
export function readLiterals(
  input: Input,
  start: number,
  end: number,
  known: HuffmanTable | undefined,
  maxBlock: number,
): Literals {
  if (start >= end) throw corrupt('its literals are truncated', start);
  const first = input.bytes[start]!;
  const type = first & 3;
  const format = (first >> 2) & 3;
  return type < 2
    ? readPlain(input.bytes, start, end, type === 1, format, known, maxBlock)
    : readCoded(input, start, end, type === 3, format, known, maxBlock);
}

/** Uncompressed literals, or one byte repeated. */
function readPlain(
  data: Uint8Array,
  start: number,
  end: number,
  repeated: boolean,
  format: number,
  huffman: HuffmanTable | undefined,
  maxBlock: number,
): Literals {
  const header = data[start]! | (data[start + 1]! << 8) | (data[start + 2]! << 16);
  const headerSize = format === 1 ? 2 : format === 3 ? 3 : 1;
  const count = headerSize === 1 ? (header & 0xff) >> 3 : (header & (2 ** (8 * headerSize) - 1)) >> 4;
  const from = start + headerSize;
  const next = from + (repeated ? 1 : count);
  if (next > end) throw corrupt('its literals are truncated', end);
  if (count > maxBlock) throw corrupt('it has too many literals', start);
  const bytes = repeated ? new Uint8Array(count).fill(data[from]!) : data.subarray(from, next);
  return { bytes, huffman, end: next };
}

function readCoded(
  input: Input,
  start: number,
  end: number,
  sameTable: boolean,
  format: number,
  known: HuffmanTable | undefined,
  maxBlock: number,
): Literals {
  // Two sizes of 10, 14 or 18 bits each, after four bits.
  const width = format < 2 ? 10 : format === 2 ? 14 : 18;
  const headerSize = (4 + 2 * width) >> 3;
  if (start + Math.max(headerSize, 5) > end) throw corrupt('its literals are truncated', end);
  let header = 0n;
  for (let i = headerSize - 1; i >= 0; i--) header = (header << 8n) | BigInt(input.bytes[start + i]!);
  const count = Number(BigInt.asUintN(width, header >> 4n));
  const size = Number(header >> BigInt(4 + width));
  const next = start + headerSize + size;
  if (next > end) throw corrupt('its literals are truncated', end);
  if (count > maxBlock) throw corrupt('it has too many literals', start);

  let from = start + headerSize;
  let huffman = known;
  if (!sameTable) {
    huffman = readHuffman(input, from, next);
    from = huffman.end;
  }
  if (huffman === undefined) throw corrupt('no block before it has a Huffman table', start);
  const bytes = new Uint8Array(count);
  if (format === 0) decodeStream(input, from, next, huffman, bytes, 0, count);
  else decodeFourStreams(input, from, next, huffman, bytes);
  return { bytes, huffman, end: next };
}

function decodeFourStreams(
  input: Input,
  start: number,
  end: number,
  huffman: HuffmanTable,
  out: Uint8Array,
): void {
  const part = Math.ceil(out.length / 4);
  if (end - start < 10 || out.length < MIN_FOUR_STREAMS)
    throw corrupt('its four streams of literals do not fit', start);
  let from = start + 6;
  for (let stream = 0; stream < 4; stream++) {
    const size = input.bytes[start + 2 * stream]! | (input.bytes[start + 2 * stream + 1]! << 8);
    const next = stream === 3 ? end : from + size;
    if (next > end) throw corrupt('its four streams of literals do not fit', start);
    const toEnd = stream === 3 ? out.length : (stream + 1) * part;
    decodeStream(input, from, next, huffman, out, stream * part, toEnd);
    from = next;
  }
}
