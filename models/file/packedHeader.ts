import { type AllLimits, checkLimit } from '../../src/checks/limits.js';
import { ArgumentError } from '../../src/errors.js';
import { isSafetensorsDType, safetensorsByteLength } from '../../src/safetensors/header.js';

/**
 * The JSON header of a safetensors file, shorter: an entry of a tensor that follows the one before it without a gap, as all
 * writers make them, is written as `MARK dtype,shape;`. Everything else stays as it is, so that unpacking gives the same text,
 * whoever wrote it.
 */

const CANNOT = 'Cannot read the plan of the model file';

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

/**
 * @param before characters of the other headers of the plan: all together are as long as one may be
 * @throws LimitError where the text would be longer than that, or have a tensor of too many dimensions
 */
export function unpackHeader(packed: string, limits: AllLimits, before = 0): string {
  const pieces: string[] = [];
  let [copied, end, length] = [0, 0, before + packed.length];
  const checkLength = () => checkLimit(limits, 'headerBytes', length, `${CANNOT}: its headers are too long`);
  checkLength();
  // Not replace(): it collects all matches first, and one takes a hundred times its five bytes.
  for (const match of packed.matchAll(ENTRY_OR_PACKED)) {
    const [entry, , , , entryEnd, dtype, shape] = match;
    if (dtype === undefined || shape === undefined) {
      end = Number(entryEnd);
      continue;
    }
    checkLimit(limits, 'rank', dimensionsOf(shape), `${CANNOT}: a tensor has too many dimensions`);
    const text = entryText(dtype, shape, end);
    // Not an entry: the text is no header, and is refused as one.
    if (text === undefined) continue;
    end += byteLength(dtype, shape)!;
    length += text.length - entry.length;
    checkLength();
    pieces.push(packed.slice(copied, match.index), text);
    copied = match.index + entry.length;
  }
  pieces.push(packed.slice(copied));
  return pieces.join('');
}

/** Without a list of them: the text may be long. */
function dimensionsOf(shape: string): number {
  let count = 1;
  for (let at = shape.indexOf(','); at >= 0; at = shape.indexOf(',', at + 1)) count += 1;
  return count;
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
