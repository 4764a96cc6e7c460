import { ScanWindow, scanBytes } from '../bytes/scan.js';
import { FormatError } from '../errors.js';
import { BYTES, nextField, readVarint64, VARINT } from '../protobuf/fields.js';
import { type ElementType, TENSOR } from './types.js';

const WHAT = 'Cannot read the elements of an ONNX tensor';

/**
 * The elements of a tensor that are fields of numbers, packed or one by one, as they are in memory.
 * @param message the bytes of the TensorProto
 * @throws FormatError
 */
export function decodeFieldData(
  message: Uint8Array,
  { field: number, width }: ElementType,
  byteLength: number,
): Uint8Array {
  const out = new Uint8Array(byteLength);
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
  const numbers = (content: number, end: number) => {
    for (let at = content; at < end; filled += width) {
      const one = readVarint64(message, at);
      if (one === undefined || one.end > end || filled + width > byteLength) throw wrong(at);
      at = one.end;
      if (width === 1) view.setUint8(filled, one.low & 0xff);
      else if (width === 2) view.setUint16(filled, one.low & 0xffff, true);
      else view.setUint32(filled, one.low, true);
      if (width === 8) view.setUint32(filled + 4, one.high, true);
    }
  };
  for (let at = 0; at < message.length; ) {
    const field = scanBytes(message, nextField(window, at, message.length));
    at = field.end;
    if (field.number !== number) continue;
    if (isFixed) copy(field.content, field.end);
    else if (field.type === BYTES || field.type === VARINT) numbers(field.content, field.end);
  }
  if (filled !== byteLength) throw wrong(message.length);
  return out;
}
