import { type AllLimits, checkLimit } from '../../src/checks/limits.js';
import { ArgumentError } from '../../src/errors.js';
import { isSafetensorsDType, safetensorsByteLength } from '../../src/safetensors/header.js';

/**
 * The JSON header of a safetensors file, shorter: an entry of a tensor that follows the one before it without a gap, as all
 * writers make them, is written as `MARK dtype,shape;`. Everything else stays as it is, so that unpacking gives the same text,
 * whoever wrote it.
 */

/** Begins an entry. JSON has no such character, not even in its strings. */
const MARK = '\u0001';

const ENTRY = /\{"dtype":"([A-Z0-9_]+)","shape":\[([\d,]*)\],"data_offsets":\[(\d+),(\d+)\]\}/g;
const ENTRY_OR_PACKED = new RegExp(`${ENTRY.source}|${MARK}([A-Z0-9_]+),([\\d,]*);`, 'g');

/** @throws ArgumentError for a text that is not JSON: its packed form would stand for another one */
export function packHeader(header: string): string {
  if (header.includes(MARK))
    throw new ArgumentError('Cannot write the header of a source file: it has a control character');
  let end = 0;
  return header.replace(ENTRY, (entry, dtype: string, shape: string, _begin, entryEnd: string) => {
    const packed = entryText(dtype, shape, end) === entry;
    end = Number(entryEnd);
    return packed ? `${MARK}${dtype},${shape};` : entry;
  });
}

/** @throws LimitError where the text would be longer than a header may be */
export function unpackHeader(packed: string, limits: AllLimits): string {
  let end = 0;
  let length = packed.length;
  return packed.replace(ENTRY_OR_PACKED, (entry, ...groups: (string | undefined)[]) => {
    const [, , , entryEnd, dtype, shape] = groups;
    if (dtype === undefined || shape === undefined) {
      end = Number(entryEnd);
      return entry;
    }
    const text = entryText(dtype, shape, end);
    // Not an entry: the text is no header, and is refused as one.
    if (text === undefined) return entry;
    end += byteLength(dtype, shape)!;
    length += text.length - entry.length;
    checkLimit(limits, 'headerBytes', length, 'Cannot read the plan of the model file: a header is too long');
    return text;
  });
}

/** The entry of a tensor that begins at `begin`; undefined where its size is no number of bytes. */
function entryText(dtype: string, shape: string, begin: number): string | undefined {
  const size = byteLength(dtype, shape);
  return size === undefined
    ? undefined
    : `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${begin + size}]}`;
}

function byteLength(dtype: string, shape: string): number | undefined {
  const dimensions = shape === '' ? [] : shape.split(',').map(Number);
  if (!isSafetensorsDType(dtype) || !dimensions.every(Number.isSafeInteger)) return undefined;
  return safetensorsByteLength(dtype, dimensions);
}
