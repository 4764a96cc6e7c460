import { corrupt } from '../corrupt.js';
import { type Input, nextWord, readBits, streamBits } from './bits.js';
import { makeStates, readDistribution } from './fse.js';

/** RFC 8878, section 4.2.1: literals have codes of at most 11 bits, weights a distribution of at most 2^6. */
const MAX_BITS = 11;
const MAX_WEIGHT_LOG = 6;
const MAX_SYMBOLS = 256;
/** Weights from 0 on: with a larger one, codes would be longer. */
const WEIGHTS = MAX_BITS + 1;

export interface HuffmanTable {
  /** Bits of the longest code. */
  readonly bits: number;
  /** By the next `bits` bits: the symbol, plus 256 × the bits of its code. */
  readonly entries: Uint16Array;
  /** The end of its description. */
  readonly end: number;
}

/** @throws CodecError */
export function readHuffman(input: Input, start: number, end: number): HuffmanTable {
  if (start >= end) throw corrupt('its Huffman table is truncated', start);
  const header = input.bytes[start]!;
  const from = start + 1;
  const next = from + (header < 128 ? header : (header - 126) >> 1);
  if (next > end) throw corrupt('its Huffman table is truncated', end);
  const weights =
    header < 128 ? readCodedWeights(input, from, next) : readPlainWeights(input.bytes, from, header - 127);
  return { ...makeTable(weights, start), end: next };
}

function readPlainWeights(data: Uint8Array, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const pair = data[from + (i >> 1)]!;
    return i % 2 === 1 ? pair & 15 : pair >> 4;
  });
}

/** Two states alternate until one needs bits beyond the end; the other then gives its last value. */
function readCodedWeights({ bytes, view }: Input, from: number, end: number): number[] {
  const distribution = readDistribution(bytes, from, end, MAX_WEIGHT_LOG, WEIGHTS);
  const { log, entries } = makeStates(distribution, from);
  const start = distribution.end;
  let left = streamBits(bytes, start, end) - 2 * log;
  if (left < 0) throw corrupt('its Huffman weights are truncated', end);
  let one = entries[readBits(view, start, left + 2 * log, log)]!;
  let other = entries[readBits(view, start, left + log, log)]!;
  const weights: number[] = [];
  // The last weight is implied, so there is room for 255.
  while (weights.length < MAX_SYMBOLS - 2) {
    weights.push(one & 255);
    const width = (one >> 8) & 255;
    if (left < width) {
      weights.push(other & 255);
      return weights;
    }
    const following = (one >>> 16) + readBits(view, start, left, width);
    left -= width;
    one = other;
    other = entries[following]!;
  }
  throw corrupt('it has too many Huffman weights', from);
}

/** The table of these weights and the implied one of the last symbol, which makes the sum a power of two. */
function makeTable(weights: number[], offset: number): Omit<HuffmanTable, 'end'> {
  if (weights.some((weight) => weight > MAX_BITS)) throw corrupt('a Huffman weight is too large', offset);
  const sum = weights.reduce((total, weight) => total + ((1 << weight) >> 1), 0);
  const bits = 32 - Math.clz32(sum);
  const rest = 2 ** bits - sum;
  if (sum === 0 || bits > MAX_BITS || (rest & (rest - 1)) !== 0) {
    throw corrupt('its Huffman weights do not make a code', offset);
  }
  weights.push(32 - Math.clz32(rest));
  // Symbols of weight 1, the longest codes, come in pairs.
  const longest = weights.filter((weight) => weight === 1).length;
  if (longest < 2 || longest % 2 !== 0) throw corrupt('its Huffman weights do not make a code', offset);

  // Longest codes first, symbols in order.
  const entries = new Uint16Array(2 ** bits);
  let place = 0;
  for (let weight = 1; weight <= bits; weight++) {
    const length = 2 ** (weight - 1);
    for (let symbol = 0; symbol < weights.length; symbol++) {
      if (weights[symbol] !== weight) continue;
      entries.fill(symbol | ((bits + 1 - weight) << 8), place, place + length);
      place += length;
    }
  }
  return { bits, entries };
}

/**
 * Decodes the stream between `start` and `end` so that it fills `out` from `to` to `toEnd`.
 * @throws CodecError when the symbols and the bits do not end together
 */
export function decodeStream(
  { bytes, view }: Input,
  start: number,
  end: number,
  { bits, entries }: HuffmanTable,
  out: Uint8Array,
  to: number,
  toEnd: number,
): void {
  const shift = 32 - bits;
  let left = streamBits(bytes, start, end);
  let at = to;
  while (at < toEnd && left > 0) {
    // Two codes.
    const word = nextWord(view, start, left);
    const entry = entries[word >>> shift]!;
    out[at++] = entry;
    left -= entry >> 8;
    if (at === toEnd) break;
    const second = entries[(word << (entry >> 8)) >>> shift]!;
    out[at++] = second;
    left -= second >> 8;
  }
  if (left !== 0 || at !== toEnd) throw corrupt('literals and their bits do not end together', start);
}
