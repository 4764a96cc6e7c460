import { asBytes, assertLength, type BytesLike } from '../bytes/binary.js';
import { check, wholeNumber } from '../checks/options.js';
import { ArgumentError, FormatError } from '../errors.js';
import { halfToFloat32 } from './float.js';
import { checkOutput } from './tensor.js';

/** How the elements of a quantized tensor stand for numbers. */
export type QuantizationScheme = 'none' | 'gptq-int4' | 'awq-int4' | 'symmetric-int8' | 'asymmetric-int8';

/** The code of each scheme in quantization metadata is its index in this table. */
export const QUANTIZATION_SCHEMES: readonly QuantizationScheme[] = [
  'none',
  'gptq-int4',
  'awq-int4',
  'symmetric-int8',
  'asymmetric-int8',
];

/** Bytes of serialized {@link QuantizationMetadata}, in both formats. */
export const QUANTIZATION_METADATA_SIZE = 8;

/** How the integers of a quantized tensor become weights: `w = (q - zeroPoint) * scale`. */
export interface QuantizationMetadata {
  readonly scheme: QuantizationScheme;
  /** The scales, one half per group of `groupSize` elements (row-major), are stored beside the tensor. */
  readonly perGroupScales: boolean;
  /** The scale of the whole tensor as the bits of a half; `halfToFloat32` converts it. */
  readonly scaleBits: number;
  /** −128…127. */
  readonly zeroPoint: number;
  /** Elements per group, below 2^24; 0: the whole tensor is one group, whose scale is `scaleBits`. */
  readonly groupSize: number;
}

/** @throws FormatError, TruncatedError */
export function parseQuantizationMetadata(input: BytesLike, offset = 0): QuantizationMetadata {
  const bytes = asBytes(input);
  check('offset', offset, wholeNumber());
  assertLength(bytes, QUANTIZATION_METADATA_SIZE, 'the quantization metadata', offset);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, QUANTIZATION_METADATA_SIZE);
  const code = view.getUint8(0);
  const scheme = QUANTIZATION_SCHEMES[code];
  if (scheme === undefined) {
    throw new FormatError('Cannot read the quantization metadata: unknown scheme', {
      offset,
      expected: `0 to ${QUANTIZATION_SCHEMES.length - 1}`,
      actual: code,
    });
  }
  const perGroup = view.getUint8(1);
  if (perGroup > 1) {
    throw new FormatError('Cannot read the quantization metadata: wrong flag of per-group scales', {
      offset: offset + 1,
      expected: '0 or 1',
      actual: perGroup,
    });
  }
  return {
    scheme,
    perGroupScales: perGroup === 1,
    scaleBits: view.getUint16(2, true),
    zeroPoint: view.getInt8(4),
    groupSize: view.getUint32(4, true) >>> 8,
  };
}

/** The inverse, of metadata that have been checked. */
export function quantizationBytes({
  scheme,
  perGroupScales,
  scaleBits,
  zeroPoint,
  groupSize,
}: QuantizationMetadata): Uint8Array {
  const bytes = new Uint8Array(QUANTIZATION_METADATA_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, QUANTIZATION_SCHEMES.indexOf(scheme));
  view.setUint8(1, perGroupScales ? 1 : 0);
  view.setUint16(2, scaleBits, true);
  view.setUint32(4, groupSize * 256 + (zeroPoint & 0xff), true);
  return bytes;
}

/** How many per-group scales a tensor of `elements` elements has; 0 without groups, or without scales for them. */
export function groupScaleCount(
  { perGroupScales, groupSize }: QuantizationMetadata,
  elements: number,
): number {
  return perGroupScales && groupSize > 0 ? Math.ceil(elements / groupSize) : 0;
}

/** The parameters of dequantization: the metadata, and the scales stored beside the tensor. */
export interface Quantization {
  readonly metadata: QuantizationMetadata;
  /**
   * Half bits, `groupScaleCount` of them; required if the metadata announces per-group scales, otherwise unused. With
   * group size 0, one scale in place of the metadata's is allowed.
   */
  readonly groupScales?: Uint16Array | undefined;
}

/** The inner loop of dequantization: each group of `groupLength` values (fewer in the last) has a scale. */
export type DequantizeGroups = (
  values: Int8Array,
  scales: Float32Array,
  groupLength: number,
  zeroPoint: number,
  out: Float32Array,
) => void;

export const dequantizeGroups: DequantizeGroups = (values, scales, groupLength, zeroPoint, out) => {
  for (let group = 0, start = 0; start < values.length; group++, start += groupLength) {
    const scale = scales[group]!;
    const end = Math.min(start + groupLength, values.length);
    for (let i = start; i < end; i++) out[i] = (values[i]! - zeroPoint) * scale;
  }
};

export interface DequantizeKernels {
  readonly dequantizeGroups: DequantizeGroups;
}

/** What `dequantize` does, of values that have been checked. */
export function applyQuantization(
  values: Int8Array,
  { metadata, groupScales }: Quantization,
  out: Float32Array = new Float32Array(values.length),
  kernels: DequantizeKernels = { dequantizeGroups },
): Float32Array {
  checkOutput(out, values.length);
  const scales = scalesOf(metadata, groupScales, values.length);
  const groupLength = metadata.groupSize > 0 && metadata.perGroupScales ? metadata.groupSize : values.length;
  kernels.dequantizeGroups(values, scales, groupLength, metadata.zeroPoint, out);
  return out;
}

function scalesOf(
  metadata: QuantizationMetadata,
  groupScales: Uint16Array | undefined,
  elements: number,
): Float32Array {
  const { perGroupScales, groupSize, scaleBits } = metadata;
  const one = !perGroupScales || (groupSize === 0 && !groupScales?.length);
  if (one) return halfToFloat32(Uint16Array.of(scaleBits));
  const expected = groupSize === 0 ? 1 : groupScaleCount(metadata, elements);
  if (groupScales?.length !== expected) {
    throw new ArgumentError('Cannot dequantize the tensor: wrong number of per-group scales', {
      expected,
      actual: groupScales?.length ?? 'none',
    });
  }
  return halfToFloat32(groupScales);
}
