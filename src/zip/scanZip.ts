/** The central directory of a zip archive: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */

import { readU64, viewOf } from '../bytes/binary.js';
import { decodeText } from '../bytes/json.js';
import type { Scan, ScanWindow } from '../bytes/scan.js';
import { checkLimit, type LimitsOption, limitsOf } from '../checks/limits.js';
import { FormatError, UnsupportedError } from '../errors.js';

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly isDeflated: boolean;
  /** Of its bytes in the archive. */
  readonly offset: number;
  /** Bytes that it takes there, and as a file. */
  readonly storedSize: number;
  readonly size: number;
  /** Of the file. */
  readonly crc32: number;
}

/** An entry whose own header begins at `start`. */
interface LocatedEntry extends ZipEntry {
  readonly start: number;
}

const WHAT = 'Cannot read the zip archive';

const END = 0x06054b50;
const END_SIZE = 22;
/** The longest comment may follow it. */
const MAX_END_SIZE = END_SIZE + 65535;
const END_64 = 0x06064b50;
const END_64_SIZE = 56;
const LOCATOR_64 = 0x07064b50;
const LOCATOR_64_SIZE = 20;
const CENTRAL = 0x02014b50;
const CENTRAL_SIZE = 46;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;

/** Fields that say that the extra field has the value. */
const IN_EXTRA = 0xffffffff;
const EXTRA_64 = 1;

const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;

/**
 * The files of a zip archive, stored or deflated, large ones (Zip64) too. No byte of it belongs to two of them: a small archive could
 * otherwise be as many large files as it has entries.
 * @throws FormatError, TruncatedError, UnsupportedError, LimitError
 */
export function* scanZip(window: ScanWindow, options: LimitsOption): Scan<ZipEntry[]> {
  const limits = limitsOf(options);
  const { offset, count, end } = yield* findDirectory(window);
  checkLimit(limits, 'tensors', count, `${WHAT}: it has too many files`);
  const entries: ZipEntry[] = [];
  let at = offset;
  for (let i = 0; i < count; i++) {
    const view = viewOf(yield* window.take(at, CENTRAL_SIZE));
    if (view.getUint32(0, true) !== CENTRAL) throw broken('an entry of its directory is missing', at);
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(field, true));
    const head = copyOf(view);
    const text = yield* window.take(at + CENTRAL_SIZE, name! + extra!);
    at += CENTRAL_SIZE + name! + extra! + comment!;
    entries.push(entryOf(head, decodeText(text.slice(0, name), WHAT), text.slice(name), at));
  }
  if (at > end) throw broken('its directory is longer than it says', at);
  const located: LocatedEntry[] = [];
  for (const entry of entries) located.push(yield* locate(entry, window.size));
  assertApart(located, offset);
  return located;
}

/** @param directory where it begins: files are before it */
function assertApart(entries: readonly LocatedEntry[], directory: number): void {
  const inOrder = [...entries].sort((a, b) => a.start - b.start);
  for (const [i, { name, offset, storedSize }] of inOrder.entries()) {
    const next = inOrder[i + 1]?.start ?? directory;
    if (offset + storedSize <= next) continue;
    throw new FormatError(`${WHAT}: a file in it overlaps what follows it`, { name, offset: next });
  }
}

/** What is read next may take the place of the bytes. */
function copyOf({ buffer, byteOffset, byteLength }: DataView): DataView {
  return new DataView(buffer.slice(byteOffset, byteOffset + byteLength));
}

function broken(reason: string, offset: number): FormatError {
  return new FormatError(`${WHAT}: ${reason}`, { offset });
}

interface Directory {
  readonly offset: number;
  readonly count: number;
  readonly end: number;
}

function* findDirectory(window: ScanWindow): Scan<Directory> {
  const start = Math.max(0, window.size - MAX_END_SIZE);
  const tail = new Uint8Array(yield* window.take(start, window.size - start));
  const view = viewOf(tail);
  for (let at = tail.length - END_SIZE; at >= 0; at--) {
    if (view.getUint32(at, true) !== END) continue;
    const end = start + at;
    const [count, offset] = [view.getUint16(at + 10, true), view.getUint32(at + 16, true)];
    if (count < 0xffff && offset < IN_EXTRA) return { offset, count, end };
    return yield* findDirectory64(window, end);
  }
  throw broken('the end of its directory is missing', start);
}

function* findDirectory64(window: ScanWindow, end: number): Scan<Directory> {
  if (end < LOCATOR_64_SIZE) throw broken('the end of its directory is missing', end);
  const locator = viewOf(yield* window.take(end - LOCATOR_64_SIZE, LOCATOR_64_SIZE));
  const at = readU64(locator, 8, WHAT_OFFSET);
  if (locator.getUint32(0, true) !== LOCATOR_64) throw broken('the place of its directory is missing', end);
  const view = viewOf(yield* window.take(at, END_64_SIZE));
  if (view.getUint32(0, true) !== END_64) throw broken('the end of its directory is missing', at);
  const [count, offset] = [readU64(view, 32, WHAT_OFFSET), readU64(view, 48, WHAT_OFFSET)];
  return { offset, count, end: at };
}

const WHAT_OFFSET = 'Cannot read the zip archive: an offset in it';

function entryOf(view: DataView, name: string, extra: Uint8Array, end: number): ZipEntry {
  const method = view.getUint16(10, true);
  if (view.getUint16(8, true) & ENCRYPTED)
    throw new UnsupportedError(`${WHAT}: a file in it is encrypted`, { name });
  if (method !== STORED && method !== DEFLATED) {
    const details = { name, expected: 'stored or deflated', actual: `method ${method}` };
    throw new UnsupportedError(`${WHAT}: a file in it is compressed in another way`, details);
  }
  const wide = wideFields(extra, end);
  // Those that do not fit are in the extra field, in this order.
  let used = 0;
  const [size, storedSize, offset] = [24, 20, 42].map((field) => {
    const value = view.getUint32(field, true);
    if (value !== IN_EXTRA || used === wide.length) return value;
    used += 1;
    return wide[used - 1]!;
  });
  const crc32 = view.getUint32(16, true);
  return {
    name,
    isDeflated: method === DEFLATED,
    size: size!,
    storedSize: storedSize!,
    offset: offset!,
    crc32,
  };
}

function wideFields(extra: Uint8Array, end: number): number[] {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    at += 4;
    if (at + length > extra.length) throw broken('an extra field is longer than its entry', end);
    if (id === EXTRA_64) {
      return Array.from({ length: Math.floor(length / 8) }, (_, i) => readU64(view, at + 8 * i, WHAT_OFFSET));
    }
    at += length;
  }
  return [];
}

/** Where the bytes of a file begin: its own header has a name and an extra field of their own lengths. */
function* locate(entry: ZipEntry, archive: number): Scan<LocatedEntry> {
  const { name, offset: at, storedSize, size, isDeflated } = entry;
  if (at + LOCAL_SIZE > archive) throw broken('the header of a file is missing', at);
  // The headers are far from each other.
  const view = viewOf(yield { offset: at, length: LOCAL_SIZE });
  if (view.getUint32(0, true) !== LOCAL) throw broken('the header of a file is missing', at);
  const offset = at + LOCAL_SIZE + view.getUint16(26, true) + view.getUint16(28, true);
  if (offset + storedSize > archive || (!isDeflated && size !== storedSize)) {
    throw new FormatError(`${WHAT}: a file in it is longer than the archive, or than it says`, { name });
  }
  return { ...entry, start: at, offset };
}
