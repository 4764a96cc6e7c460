import { beyondEnd } from '../../sources/ranges.js';
import { readWhole } from '../../sources/read.js';
import { streamSource } from '../../sources/stream.js';
import { nextTurn } from '../../src/async/steps.js';
import { concatenate } from '../../src/bytes/binary.js';
import { Budget, checkTensorBytes, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { ChecksumError, FormatError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { crc32 } from '../../src/zip/crc32.js';
import type { ZipEntry } from '../../src/zip/scanZip.js';

/** Deflated bytes that may take more room than those that they become. */
const OVERHEAD = 1024;

/**
 * All bytes of a file in a zip archive.
 * @throws LimitError for a file of more than `limits.tensorBytes`, or of more than its bytes in the archive pay for; ChecksumError,
 *   FormatError for one that is damaged, or has not as many bytes as the archive says
 */
export async function readZipEntry(
  source: RandomAccessSource,
  entry: ZipEntry,
  options: OpenOptions,
): Promise<Uint8Array> {
  checkSize(entry, options);
  const { name, offset, storedSize, size, isDeflated } = entry;
  const stored = await source.read(offset, storedSize, options);
  const bytes = isDeflated ? await inflate(stored, entry, options) : stored;
  if (bytes.length !== size) throw damaged(entry);
  const actual = await checksumOf(bytes, options);
  // PyTorch can leave checksums out.
  if (actual === entry.crc32 || entry.crc32 === 0) return bytes;
  throw new ChecksumError('Cannot use a file of the zip archive: it does not match its checksum', {
    name,
    expected: BigInt(entry.crc32),
    actual: BigInt(actual),
  });
}

/** Bytes whose checksum is taken in one step. */
const STEP = 2 ** 20;

async function checksumOf(bytes: Uint8Array, { signal }: OpenOptions): Promise<number> {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += STEP) {
    sum = crc32(bytes.subarray(at, at + STEP), sum);
    await nextTurn(signal);
  }
  return sum;
}

/**
 * The first bytes of a deflated file, without inflating the rest.
 * @throws as {@link readZipEntry}, but no ChecksumError
 */
export async function readZipEntryStart(
  source: RandomAccessSource,
  entry: ZipEntry,
  length: number,
  options: OpenOptions,
): Promise<Uint8Array> {
  checkSize(entry, options);
  const wanted = Math.min(length, entry.size);
  const stored = await source.read(entry.offset, Math.min(entry.storedSize, wanted + OVERHEAD), options);
  const { signal } = options;
  return firstBytes(inflated(stored), wanted, signal).catch((cause) => {
    signal?.throwIfAborted();
    throw damaged(entry, cause);
  });
}

/** More chunks than engines make of the bytes that are wanted. */
const READS_AHEAD = 8;

/**
 * The deflated bytes are cut, and an engine that comes to their end drops the chunks that nobody has asked for yet: so the
 * next ones are asked for before they are there.
 */
async function firstBytes(
  stream: ReadableStream<Uint8Array>,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const read = () => {
    const next = reader.read();
    next.catch(() => {});
    return next;
  };
  const reads = Array.from({ length: READS_AHEAD }, read);
  const chunks: Uint8Array[] = [];
  try {
    for (let i = 0, filled = 0; filled < length; i = (i + 1) % READS_AHEAD) {
      const { done, value } = await reads[i]!;
      signal?.throwIfAborted();
      if (done) throw beyondEnd(length, filled);
      reads[i] = read();
      chunks.push(value);
      filled += value.length;
    }
    return concatenate(chunks).subarray(0, length);
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function inflate(stored: Uint8Array, entry: ZipEntry, options: OpenOptions): Promise<Uint8Array> {
  const source = streamSource(inflated(stored));
  return readWhole(source, entry.size, () => damaged(entry), options).catch((cause) => {
    options.signal?.throwIfAborted();
    throw cause instanceof FormatError ? cause : damaged(entry, cause);
  });
}

function inflated(stored: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([new Uint8Array(stored)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
}

function damaged({ name, size }: ZipEntry, cause?: unknown): FormatError {
  const details = { name, expected: size, cause };
  return new FormatError('Cannot inflate a file of the zip archive: it is damaged', details);
}

function checkSize({ name, size, storedSize, isDeflated }: ZipEntry, options: OpenOptions): void {
  const limits = limitsOf(options);
  checkTensorBytes(limits, Math.max(size, storedSize), name);
  if (isDeflated) new Budget(limits, storedSize).check({ bytes: size, steps: 0 });
}
