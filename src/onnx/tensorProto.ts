import { decodeText } from '../bytes/json.js';
import type { ByteSpan, Scan, ScanWindow } from '../bytes/scan.js';
import { MAX_VARINT_BYTES, readVarint } from '../bytes/varint.js';
import { type AllLimits, checkLimit, checkTensorBytes } from '../checks/limits.js';
import { FormatError, LimitError, UnsupportedError } from '../errors.js';
import { BYTES, type Field, nextField, VARINT } from '../protobuf/fields.js';
import type { SafetensorsDType } from '../safetensors/header.js';
import { elementCount } from '../tensor/dtype.js';
import { ELEMENT_TYPES, type ElementType, ENTRY, EXTERNAL, REPLACED_FIELDS, TENSOR } from './types.js';

/** A tensor whose elements leave the file of the graph. */
export interface OnnxTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly data: OnnxData;
}

/** Where elements are: as they are in memory, from `offset` of this file or of another on; or as fields of a message. */
export type OnnxData =
  | { readonly kind: 'raw'; readonly offset: number }
  | { readonly kind: 'external'; readonly location: string; readonly offset: number }
  | { readonly kind: 'fields'; readonly message: ByteSpan; readonly type: ElementType };

/** A tensor, and its fields that stay in the graph. */
export interface ScannedTensor {
  readonly tensor: OnnxTensor;
  /** Its name in the graph; empty if it has none. */
  readonly ownName: string;
  readonly kept: readonly ByteSpan[];
}

const WHAT = 'Cannot read the ONNX model';

/** Names and paths; file systems take far less. */
const MAX_TEXT_BYTES = 65536;

/** What a message says, before it is believed. */
interface Claims {
  readonly shape: number[];
  readonly kept: ByteSpan[];
  readonly external: Map<string, string>;
  name: string;
  dataType: number;
  isExternal: boolean;
  isSegment: boolean;
  raw: Field | undefined;
  /** Fields of numbers: the last one, how many there are, and their bytes. */
  numbers: { readonly last: Field; readonly count: number; readonly bytes: number } | undefined;
}

/**
 * Reads a TensorProto, but not its elements.
 * @param least bytes of a tensor that leaves the graph
 * @param name of a tensor that has none
 * @returns undefined for one that stays: it is small, or its elements are text
 * @throws FormatError, LimitError, UnsupportedError
 */
export function* scanTensor(
  window: ScanWindow,
  { content, end }: Field,
  { limits, least, name }: { readonly limits: AllLimits; readonly least: number; readonly name: string },
): Scan<ScannedTensor | undefined> {
  const claims = yield* readClaims(window, content, end, limits);
  const type = ELEMENT_TYPES.get(claims.dataType);
  const label = claims.name || name;
  if (type === undefined || claims.isSegment) {
    if (!claims.isExternal) return undefined;
    throw new UnsupportedError(`${WHAT}: a tensor in another file has a type that is not known`, {
      tensor: label,
      actual: claims.dataType,
    });
  }
  const elements = elementCount(claims.shape);
  const byteLength = Math.ceil((elements * type.bits) / 8);
  checkTensorBytes(limits, byteLength, label);
  // Dimensions whose product is infinite, and one of 0, have no product.
  if (!Number.isSafeInteger(byteLength)) {
    throw new FormatError(`${WHAT}: a tensor is too large`, { tensor: label, actual: claims.shape });
  }
  if (byteLength < least && !claims.isExternal) return undefined;
  const data = dataOf(claims, type, byteLength, { offset: content, length: end - content }, label);
  const isWhole = type.dtype !== 'U8' || type.bits === 8;
  const shape = isWhole ? claims.shape : [byteLength];
  return {
    tensor: { name: label, dtype: type.dtype, shape, byteLength, data },
    ownName: claims.name,
    kept: claims.kept,
  };
}

function* readClaims(window: ScanWindow, start: number, end: number, limits: AllLimits): Scan<Claims> {
  const claims: Claims = {
    ...{ shape: [], kept: [], external: new Map(), name: '', dataType: 0 },
    ...{ isExternal: false, isSegment: false, raw: undefined, numbers: undefined },
  };
  for (let at = start; at < end; ) {
    const field = yield* nextField(window, at, end);
    at = field.end;
    yield* readClaim(window, claims, field, limits);
    if (!REPLACED_FIELDS.has(field.number)) keep(claims.kept, field);
  }
  return claims;
}

function* readClaim(window: ScanWindow, claims: Claims, field: Field, limits: AllLimits): Scan<void> {
  switch (field.number) {
    case TENSOR.dims:
      yield* readDims(window, claims.shape, field, limits);
      return;
    case TENSOR.dataType:
      claims.dataType = field.value;
      return;
    case TENSOR.segment:
      claims.isSegment = true;
      return;
    case TENSOR.name:
      claims.name = yield* readText(window, field);
      return;
    case TENSOR.rawData:
      claims.raw = field;
      return;
    case TENSOR.dataLocation:
      claims.isExternal = field.value === EXTERNAL;
      return;
    case TENSOR.externalData:
      yield* readEntry(window, claims.external, field);
      return;
    case TENSOR.floatData:
    case TENSOR.int32Data:
    case TENSOR.int64Data:
    case TENSOR.doubleData:
    case TENSOR.uint64Data: {
      const { count = 0, bytes = 0 } = claims.numbers ?? {};
      const length = field.end - field.content;
      claims.numbers = { last: field, count: count + 1, bytes: bytes + length };
    }
  }
}

/** Packed, or one by one. */
function* readDims(window: ScanWindow, shape: number[], field: Field, limits: AllLimits): Scan<void> {
  const add = (size: number) => {
    if (!Number.isSafeInteger(size)) {
      throw new FormatError(`${WHAT}: a dimension of a tensor is negative or too large`, {
        offset: field.start,
        actual: size,
      });
    }
    shape.push(size);
    checkLimit(limits, 'rank', shape.length, `${WHAT}: a tensor has too many dimensions`);
  };
  if (field.type === VARINT) add(field.value);
  if (field.type !== BYTES) return;
  for (let at = field.content; at < field.end; ) {
    const one = readVarint(yield* window.from(at, MAX_VARINT_BYTES), 0);
    if (one === undefined || at + one.end > field.end) {
      throw new FormatError(`${WHAT}: a dimension of a tensor is no number`, { offset: at });
    }
    add(one.value);
    at += one.end;
  }
}

/** @throws FormatError, LimitError */
export function* readText(window: ScanWindow, { content, end }: Field): Scan<string> {
  const length = end - content;
  if (length > MAX_TEXT_BYTES) {
    const expected = `at most ${MAX_TEXT_BYTES} bytes`;
    throw new LimitError(`${WHAT}: a name is too long`, { offset: content, expected, actual: length });
  }
  return decodeText(yield* window.take(content, length), WHAT);
}

/** One of the pairs that say where elements are in another file. */
function* readEntry(window: ScanWindow, entries: Map<string, string>, { content, end }: Field): Scan<void> {
  let [key, value] = ['', ''];
  for (let at = content; at < end; ) {
    const field = yield* nextField(window, at, end);
    at = field.end;
    if (field.number === ENTRY.key) key = yield* readText(window, field);
    if (field.number === ENTRY.value) value = yield* readText(window, field);
  }
  entries.set(key, value);
}

function keep(kept: ByteSpan[], { start, end }: Field): void {
  const last = kept.at(-1);
  if (last !== undefined && last.offset + last.length === start) {
    kept[kept.length - 1] = { offset: last.offset, length: end - last.offset };
  } else kept.push({ offset: start, length: end - start });
}

function dataOf(
  { external, isExternal, raw, numbers }: Claims,
  type: ElementType,
  byteLength: number,
  message: ByteSpan,
  name: string,
): OnnxData {
  if (isExternal) return externalData(external, byteLength, name);
  if (raw !== undefined) {
    assertSize(raw.end - raw.content, byteLength, name);
    return { kind: 'raw', offset: raw.content };
  }
  const isFixed = type.field === TENSOR.floatData || type.field === TENSOR.doubleData;
  if (numbers?.count === 1 && numbers.last.number === type.field && numbers.last.type === BYTES && isFixed) {
    // Fixed widths, all in one field: as in memory.
    assertSize(numbers.bytes, byteLength, name);
    return { kind: 'raw', offset: numbers.last.content };
  }
  // A varint has at least one byte: what is decoded later is never much larger than what is there.
  const least = byteLength / type.width;
  if ((numbers?.bytes ?? 0) < least) assertSize(numbers?.bytes ?? 0, byteLength, name);
  return { kind: 'fields', message, type };
}

function assertSize(actual: number, expected: number, name: string): void {
  if (actual === expected) return;
  throw new FormatError(`${WHAT}: the bytes of a tensor are not those of its type and shape`, {
    name,
    expected,
    actual,
  });
}

function externalData(entries: ReadonlyMap<string, string>, byteLength: number, name: string): OnnxData {
  const location = entries.get('location');
  if (location === undefined)
    throw new FormatError(`${WHAT}: a tensor in another file does not say in which`, { tensor: name });
  const number = (key: string, absent: number) => {
    const text = entries.get(key) ?? '';
    if (text === '') return absent;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    throw new FormatError(`${WHAT}: the ${key} of a tensor in another file is no number`, {
      name,
      actual: text,
    });
  };
  assertSize(number('length', byteLength), byteLength, name);
  return { kind: 'external', location, offset: number('offset', 0) };
}
