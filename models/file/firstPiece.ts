import { concatenate, viewOf } from '../../src/bytes/binary.js';
import { FieldReader } from '../../src/bytes/fieldReader.js';
import { varint } from '../../src/bytes/varint.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import {
  FRAGMENT_INDEX_ENTRY_SIZE,
  HOLO_HEADER_SIZE,
  HOLO_MAGIC,
  HOLO_MAX_RANK,
  HOLO_VERSION,
} from '../../src/holotensor/constants.js';
import {
  CHECKSUM,
  CURVE,
  DIMENSIONS,
  DTYPE,
  ENCODING,
  MINIMUM_FRAGMENTS,
  NORM,
  ORIGINAL_SIZE,
  RANK,
  TOTAL_FRAGMENTS,
  VERSION,
} from '../../src/holotensor/header.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { DTYPES, elementCount } from '../../src/tensor/dtype.js';
import type { ModelFileTensor } from './modelFile.js';

/**
 * The first piece of a cut tensor is what is before the fragments in a HoloTensor file. The plan of the model file has half of it,
 * and it comes before all numbers, so only the rest is stored. `docs/formats/model-file.md` has the layout.
 */

/** The first byte of a first piece. */
export const FORMS = { whole: 0, packed: 1, short: 2 } as const;

/** Elements that a tensor in two parts has at most: it is decoded at once, in no worker. */
export const MAX_SHORT = 1023;

/** What the plan says of a cut tensor. */
export interface PlannedTensor extends Pick<ModelFileTensor, 'dtype' | 'shape' | 'byteLength'> {
  /** Bytes of each fragment as stored. */
  readonly sizes: readonly number[];
}

const WHAT = 'first piece of the tensor';

/** @param front header, quantization metadata and index of a HoloTensor file */
export function packFirstPiece(
  front: Uint8Array,
  tensor: PlannedTensor,
  kernels: Pick<Kernels, 'xxh3'>,
): Uint8Array {
  const { sizes } = tensor;
  const view = viewOf(front);
  const start = front.length - FRAGMENT_INDEX_ENTRY_SIZE * sizes.length;
  const compressed = sizes.flatMap((_, i) => {
    const at = start + FRAGMENT_INDEX_ENTRY_SIZE * i;
    const flags = view.getUint16(at + 2, true);
    return flags === 0 ? [] : [i, flags, view.getUint32(at + 12, true)];
  });
  const packed = concatenate([
    Uint8Array.of(FORMS.packed),
    front.subarray(ENCODING, TOTAL_FRAGMENTS),
    front.subarray(MINIMUM_FRAGMENTS, ORIGINAL_SIZE),
    front.subarray(CURVE, NORM + 4),
    Uint8Array.from([compressed.length / 3, ...compressed].flatMap(varint)),
    ...sizes.map((_, i) => {
      const at = start + FRAGMENT_INDEX_ENTRY_SIZE * i + 16;
      return front.subarray(at, at + 8);
    }),
  ]);
  const isUsual = equal(unpackFirstPiece(packed, tensor, kernels), front);
  return isUsual ? packed : concatenate([Uint8Array.of(FORMS.whole), front]);
}

/**
 * What {@link packFirstPiece} was given.
 * @param bytes verified
 * @throws FormatError, TruncatedError, UnsupportedError
 */
export function unpackFirstPiece(
  bytes: Uint8Array,
  { dtype, shape, byteLength, sizes }: PlannedTensor,
  { xxh3 }: Pick<Kernels, 'xxh3'>,
): Uint8Array {
  const fields = new FieldReader(bytes, WHAT);
  const form = fields.u8();
  if (form === FORMS.whole) return bytes.subarray(1);
  if (form !== FORMS.packed) {
    throw new UnsupportedError(`Cannot read the ${WHAT}: unknown form`, {
      expected: [FORMS.whole, FORMS.packed],
      actual: form,
    });
  }
  const front = new Uint8Array(HOLO_HEADER_SIZE + FRAGMENT_INDEX_ENTRY_SIZE * sizes.length);
  const view = viewOf(front);
  view.setUint32(0, HOLO_MAGIC, true);
  view.setUint32(VERSION, HOLO_VERSION, true);
  front.set(fields.take(TOTAL_FRAGMENTS - ENCODING), ENCODING);
  view.setUint16(TOTAL_FRAGMENTS, sizes.length, true);
  front.set(fields.take(ORIGINAL_SIZE - MINIMUM_FRAGMENTS), MINIMUM_FRAGMENTS);
  view.setBigUint64(ORIGINAL_SIZE, BigInt(byteLength), true);
  view.setUint8(DTYPE, (DTYPES as readonly string[]).indexOf(dtype));
  const dimensions = encodedShape(shape);
  view.setUint8(RANK, dimensions.length);
  for (const [axis, one] of dimensions.entries()) view.setBigUint64(DIMENSIONS + 8 * axis, BigInt(one), true);
  front.set(fields.take(NORM + 4 - CURVE), CURVE);
  view.setBigUint64(CHECKSUM, xxh3(front.subarray(0, CHECKSUM)), true);
  const entry = (i: number) => HOLO_HEADER_SIZE + FRAGMENT_INDEX_ENTRY_SIZE * i;
  let offset = 0;
  for (let i = 0; i < sizes.length; i++) {
    const at = entry(i);
    const size = sizes[i]!;
    view.setUint16(at, i, true);
    view.setUint32(at + 4, offset, true);
    view.setUint32(at + 8, size, true);
    view.setUint32(at + 12, size, true);
    offset += size;
  }
  for (let left = fields.varint(); left > 0; left--) {
    const i = fields.varint();
    if (i >= sizes.length) throw invalid('the number of a fragment', `below ${sizes.length}`, i);
    view.setUint16(entry(i) + 2, fields.varint(), true);
    view.setUint32(entry(i) + 12, fields.varint(), true);
  }
  for (let i = 0; i < sizes.length; i++) view.setBigUint64(entry(i) + 16, fields.u64(), true);
  if (fields.position < bytes.length) throw invalid('its length', fields.position, bytes.length);
  return front;
}

/** What a tensor is encoded as: HoloTensor has room for four dimensions; the true shape is in the plan. */
export function encodedShape(shape: readonly number[]): readonly number[] {
  return shape.length > HOLO_MAX_RANK ? [elementCount(shape)] : shape;
}

export function invalid(part: string, expected: unknown, actual: unknown): FormatError {
  return new FormatError(`Cannot read the ${WHAT}: ${part} is wrong`, { expected, actual });
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
