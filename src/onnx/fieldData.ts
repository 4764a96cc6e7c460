import type { Steps } from '../async/steps.js';
import { ScanWindow, scanBytes } from '../bytes/scan.js';
import { allocating } from '../checks/limits.js';
import { FormatError } from '../errors.js';
import { BYTES, nextField, readVarint64, VARINT } from '../protobuf/fields.js';
import { type ElementType, TENSOR } from './types.js';

const WHAT = 'Cannot read the elements of an ONNX tensor';

/** Numbers and fields that one step of work reads. */
const STEP = 2 ** 17;

/**
 * The elements of a tensor that are fields of numbers, packed or one by one, as they are in memory.
 * @param message the bytes of the TensorProto
 * @throws FormatError
 */
export function* decodeFieldData(
  message: Uint8Array,
  { field: number, width }: ElementType,
  byteLength: number,
): Steps<Uint8Array> {
  const out = allocating(() => new Uint8Array(byteLength));
  const view = new DataView(out.buffer);
  const window = new ScanWindow(message.length);
  const isFixed = number === TENSOR.floatData || number === TENSOR.doubleData;
  let filled = 0;
  const wrong = (offset: number) =>
    new FormatError(`${WHAT}: they are not those of its type and shape`, { offset, expected: byteLength });
  const copy = (content: number, end: number) => {
    if (filled + end - content > byteLength) throw wrong(content);
    out.set(message.subarray(content, end), filled);
    filled += end - content;
  };
  const put = (at: number, low: number, high: number) => {
    if (width === 1) view.setUint8(at, low & 0xff);
    else if (width === 2) view.setUint16(at, low & 0xffff, true);
    else view.setUint32(at, low, true);
    if (width === 8) view.setUint32(at + 4, high, true);
  };
  let left = STEP;
  for (let at = 0; at < message.length; ) {
    const field = scanBytes(message, nextField(window, at, message.length));
    at = field.end;
    left -= 1;
    const isNumbers = field.number === number && !isFixed && (field.type === BYTES || field.type === VARINT);
    if (field.number === number && isFixed) copy(field.content, field.end);
    for (let next = field.content; isNumbers && next < field.end; filled += width) {
      const one = readVarint64(message, next);
      if (one === undefined || one.end > field.end || filled + width > byteLength) throw wrong(next);
      next = one.end;
      put(filled, one.low, one.high);
      left -= 1;
      if (left > 0) continue;
      left = STEP;
      yield;
    }
    if (left > 0) continue;
    left = STEP;
    yield;
  }
  if (filled !== byteLength) throw wrong(message.length);
  return out;
}
