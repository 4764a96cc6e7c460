import { codesOf } from '../contexts.js';
import type { PlanesOfTile } from '../interface.js';
import { exponentOf, nonzeroBitmap } from '../survey.js';
import {
  COUNTED_EXPONENTS,
  checkLength,
  checkSelection,
  completeFrom,
  finalClasses,
  mantissaBitsOf,
  signBitOf,
} from '../tile.js';
import { decodeBitmap, encodeBitmap } from './bitmapCode.js';
import { BitReader, BitWriter } from './bits.js';
import { gatherMagnitudes } from './magnitudes.js';

export function decodeRemainder(unit: Uint8Array, tile: PlanesOfTile, out: Uint16Array | Uint32Array): void {
  const { state, planes, selection, layout } = tile;
  const magnitudes = new Int32Array(out.length);
  gatherMagnitudes(planes, magnitudes);
  const reader = new BitReader(unit);
  const nonzero = selection.length > 0 ? new Uint8Array(state.signs.length) : undefined;
  if (nonzero !== undefined) {
    checkSelection(selection, state.counts);
    decodeBitmap(reader, nonzero, finalClasses(state), codesOf({ selection, fixed: undefined }));
  }
  const signedZeros = reader.read(1) === 1;
  const signBit = signBitOf(layout);
  for (let i = 0; i < out.length; i++) {
    const sign = (state.signs[i >> 3]! >> (i & 7)) & 1;
    out[i] = decodeSignificant(reader, magnitudes[i]!, tile) | (sign << signBit);
  }
  for (let i = 0; i < out.length; i++) {
    if (magnitudes[i] !== 0) continue;
    const zero = nonzero !== undefined && ((nonzero[i >> 3]! >> (i & 7)) & 1) === 0;
    const signless = state.dense[i >> 6] === 0 && (!zero || signedZeros);
    if (signless) out[i]! |= reader.read(1) << signBit;
    if (!zero) out[i]! |= decodeSmall(reader, tile);
  }
  if (layout.bytes < out.BYTES_PER_ELEMENT) for (let i = 0; i < out.length; i++) out[i]! <<= 16;
  checkLength(unit, Math.ceil(reader.position / 8));
}

/** Without the sign; 0 for a weight that the planes do not hold. */
function decodeSignificant(reader: BitReader, magnitude: number, { layout, scale }: PlanesOfTile): number {
  if (magnitude === 0) return 0;
  const { mantissaBits, bias } = layout;
  const known = 31 - Math.clz32(magnitude);
  const lowest = scale + bias;
  const missing = completeFrom(layout, lowest) - lowest - known;
  const leading = (magnitude - (1 << known)) * 2 ** (mantissaBits - known);
  return ((lowest + known) << mantissaBits) | leading | (missing > 0 ? reader.read(missing) : 0);
}

function decodeSmall(reader: BitReader, { layout, scale }: PlanesOfTile): number {
  const exponent = decodeExponent(reader, scale + layout.bias, layout.exponentBits);
  const bits = mantissaBitsOf(layout, exponent);
  return (((exponent << bits) | reader.read(bits)) << (layout.mantissaBits - bits)) >>> 0;
}

export function encodeRemainder(
  { state, layout, scale, selection }: Omit<PlanesOfTile, 'planes'>,
  patterns: Uint16Array | Uint32Array,
): Uint8Array {
  const { mantissaBits, exponentBits, bias } = layout;
  const signBit = signBitOf(layout);
  const lowest = scale + bias;
  const complete = completeFrom(layout, lowest);
  const writer = new BitWriter();
  if (selection.length > 0) {
    const codes = codesOf({ selection, fixed: undefined });
    encodeBitmap(writer, nonzeroBitmap(layout, scale, patterns), finalClasses(state), codes);
  }
  const signedZeros = patterns.some((pattern, i) => state.dense[i >> 6] === 0 && pattern === 2 ** signBit);
  writer.write(signedZeros ? 1 : 0, 1);
  for (let i = 0; i < patterns.length; i++) {
    const exponent = exponentOf(patterns[i]!, layout);
    const missing = complete - exponent;
    if (exponent >= lowest && missing > 0) writer.write(patterns[i]! & ((1 << missing) - 1), missing);
  }
  for (let i = 0; i < patterns.length; i++) {
    const pattern = patterns[i]!;
    const exponent = exponentOf(pattern, layout);
    if (exponent >= lowest) continue;
    const mantissa = pattern & ((1 << mantissaBits) - 1);
    const zero = selection.length > 0 && exponent === 0 && mantissa === 0;
    if (state.dense[i >> 6] === 0 && (!zero || signedZeros)) writer.write(pattern >>> signBit, 1);
    if (zero) continue;
    encodeExponent(writer, exponent, lowest, exponentBits);
    const bits = mantissaBitsOf(layout, exponent);
    writer.write(mantissa >> (mantissaBits - bits), bits);
  }
  return writer.finish();
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
