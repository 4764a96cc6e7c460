import { CLASS_OF, decodeBitmap, encodeBitmap } from './bitmapCode.js';
import { BitReader, BitWriter } from './bits.js';
import { checkLength, checkSelection, type TileState } from './planes.js';

/** How the bits of a floating-point element divide; the sign is the highest bit. */
export interface FloatLayout {
  readonly bytes: 2 | 4;
  readonly mantissaBits: number;
  readonly exponentBits: number;
  readonly bias: number;
}

/** Exponents down to this many below the lowest plane are counted, smaller ones stand as they are. */
const COUNTED_EXPONENTS = 8;

/** All that the planes have said of a tile, and how to read it. */
export interface TileMagnitudes {
  readonly state: TileState;
  /** One a weight, with all planes in. */
  readonly magnitudes: Int32Array;
  readonly layout: FloatLayout;
  /** Exponent field of a float whose magnitude is 1 in the lowest plane. */
  readonly lowestExponent: number;
  /** Codes of the bitmap of non-zero weights; empty: there is none, and zeros are coded as floats. */
  readonly selection: Uint8Array;
}

/**
 * What the planes leave open of each float of a tile, bit for bit: the rest of the mantissa of a significant weight;
 * all of the others. Bits: the bitmap of those others that are not zero, if there is one; whether zeros without a sign
 * yet carry one; then weight by weight.
 * @param out the patterns of the tile's elements
 * @throws FormatError
 */
export function decodeRemainder(
  unit: Uint8Array,
  tile: TileMagnitudes,
  out: Uint16Array | Uint32Array,
): void {
  const { state, magnitudes, layout, lowestExponent, selection } = tile;
  const { mantissaBits, exponentBits } = layout;
  const reader = new BitReader(unit);
  const nonzero = selection.length > 0 ? new Uint8Array(state.signs.length) : undefined;
  if (nonzero !== undefined) {
    const classes = state.counts.map((count) => CLASS_OF[count]!);
    checkSelection(classes, selection);
    decodeBitmap(reader, nonzero, classes, selection);
  }
  const signedZeros = reader.read(1);
  for (let i = 0; i < out.length; i++) {
    let sign = (state.signs[i >> 3]! >> (i & 7)) & 1;
    const magnitude = magnitudes[i]!;
    let pattern: number;
    if (magnitude !== 0) {
      const known = 31 - Math.clz32(magnitude);
      const missing = mantissaBits - known;
      const leading = magnitude - (1 << known);
      const mantissa = missing > 0 ? (leading << missing) | reader.read(missing) : leading >> -missing;
      pattern = ((lowestExponent + known) << mantissaBits) | mantissa;
    } else {
      const zero = nonzero !== undefined && ((nonzero[i >> 3]! >> (i & 7)) & 1) === 0;
      if (state.dense[i >> 6] === 0 && (!zero || signedZeros === 1)) sign = reader.read(1);
      pattern = 0;
      if (!zero) {
        const exponent = decodeExponent(reader, lowestExponent, exponentBits);
        pattern = (exponent << mantissaBits) | reader.read(mantissaBits);
      }
    }
    out[i] = pattern | (sign << (mantissaBits + exponentBits));
  }
  checkLength(unit, Math.ceil(reader.position / 8));
}

/**
 * The other way round. `patterns` are the tile's elements; where one is not finite, the planes took it for a positive
 * zero, and so must `patterns`.
 */
export function encodeRemainder(tile: TileMagnitudes, patterns: Uint16Array | Uint32Array): Uint8Array {
  const { state, magnitudes, layout, lowestExponent, selection } = tile;
  const { mantissaBits, exponentBits } = layout;
  const signBit = mantissaBits + exponentBits;
  const writer = new BitWriter();
  if (selection.length > 0) {
    const classes = state.counts.map((count) => CLASS_OF[count]!);
    encodeBitmap(writer, nonzeroBitmap(magnitudes, patterns, signBit), classes, selection);
  }
  const signedZeros = patterns.some((pattern, i) => state.dense[i >> 6] === 0 && pattern === 2 ** signBit);
  writer.write(signedZeros ? 1 : 0, 1);
  for (let i = 0; i < patterns.length; i++) {
    const pattern = patterns[i]!;
    const magnitude = magnitudes[i]!;
    const mantissa = pattern & ((1 << mantissaBits) - 1);
    if (magnitude !== 0) {
      const missing = mantissaBits + Math.clz32(magnitude) - 31;
      if (missing > 0) writer.write(mantissa & ((1 << missing) - 1), missing);
      continue;
    }
    const exponent = (pattern >>> mantissaBits) & ((1 << exponentBits) - 1);
    const zero = selection.length > 0 && exponent === 0 && mantissa === 0;
    if (state.dense[i >> 6] === 0 && (!zero || signedZeros)) writer.write(pattern >>> signBit, 1);
    if (zero) continue;
    encodeExponent(writer, exponent, lowestExponent, exponentBits);
    writer.write(mantissa, mantissaBits);
  }
  return writer.finish();
}

/** Which weights have no bit in any plane and still are not zero. */
export function nonzeroBitmap(
  magnitudes: Int32Array,
  patterns: Uint16Array | Uint32Array,
  signBit: number,
): Uint8Array {
  const bitmap = new Uint8Array(8 * Math.ceil(patterns.length / 64));
  const positive = 2 ** signBit - 1;
  patterns.forEach((pattern, i) => {
    if (magnitudes[i] === 0 && (pattern & positive) !== 0) bitmap[i >> 3]! |= 1 << (i & 7);
  });
  return bitmap;
}

/** Distances below the lowest plane: 0 0, 1 10, 2 110, …, 7 11111110; from 8 on 11111111 and the exponent field. */
function decodeExponent(reader: BitReader, lowest: number, exponentBits: number): number {
  let distance = 0;
  while (distance < COUNTED_EXPONENTS && reader.read(1) === 1) distance += 1;
  if (distance === COUNTED_EXPONENTS) return reader.read(exponentBits);
  return Math.max(0, lowest - 1 - distance);
}

function encodeExponent(writer: BitWriter, exponent: number, lowest: number, exponentBits: number): void {
  const distance = lowest - 1 - exponent;
  if (distance < COUNTED_EXPONENTS) {
    writer.write((1 << distance) - 1, distance + 1);
  } else {
    writer.write((1 << COUNTED_EXPONENTS) - 1, COUNTED_EXPONENTS);
    writer.write(exponent, exponentBits);
  }
}
