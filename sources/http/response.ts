import { escapeText } from '../../src/errors/show.js';
import { SourceError } from '../../src/errors.js';
import type { ByteRange } from '../ranges.js';
import { retryAfterOf } from './retryAfter.js';

/** A server's response to a request for a range: the body, and the facts that were checked. */
export interface RangeResponse {
  /** Where the body begins in the file: at the first byte that was asked for, or before it. */
  readonly start: number;
  /** Where the body ends in the file; undefined where the server did not say, or gave the size of encoded bytes. */
  readonly end: number | undefined;
  /** False when the server cut the range short: there is more to ask for behind `end`. */
  readonly complete: boolean;
  /** Bytes of the whole file; undefined like `end`. */
  readonly size: number | undefined;
  /** The server supports ranges. If not, it sent the whole file. */
  readonly ranges: boolean;
  readonly body: ReadableStream<Uint8Array> | null;
}

/**
 * Checks the response to a request for `range`. A 206 is usable when it has the first byte of the range; a 200 is the
 * whole file; any other status is an error.
 * @param knownSize bytes of the file, where an earlier response told
 * @returns undefined for a 206 that does not say what it holds, and does not have the length of the range either
 * @throws SourceError
 */
export function checkResponse(
  response: Response,
  range: ByteRange,
  file: string,
  knownSize: number | undefined,
): RangeResponse | undefined {
  const { status, headers, body } = response;
  if (status === 200) {
    const size = announcedLength(response);
    return { start: 0, end: size, complete: true, size, ranges: false, body };
  }
  const header = headers.get('content-range');
  const content = parseContentRange(header);
  // Only an empty file has no byte 0, which some servers say by nothing but the status.
  const size = content?.total ?? (range.start === 0 ? 0 : undefined);
  if (status === 416 && size !== undefined && size <= range.start) {
    return { start: size, end: size, complete: true, size, ranges: true, body: null };
  }
  if (status !== 206) {
    throw new SourceError(
      `Cannot read from the server: it answered ${status} ${escapeText(response.statusText)}`.trimEnd() +
        (REASONS.has(status) ? `: ${REASONS.get(status)}` : ''),
      {
        file,
        status,
        retryable: isRetryableStatus(status),
        retryAfter: retryAfterOf(headers, Date.now()),
      },
    );
  }
  if (isEncoded(headers)) {
    throw new SourceError('Cannot use the response: it is a range of an encoded body', {
      file,
      status,
      actual: headers.get('content-encoding'),
    });
  }
  const wanted = Math.min(range.end ?? Infinity, knownSize ?? content?.total ?? Infinity);
  if (header === null) {
    // Across origins a browser hides it unless the server lists it in Access-Control-Expose-Headers.
    const end = range.start + (lengthOf(headers) ?? NaN);
    if (end !== wanted) return undefined;
    return { start: range.start, end, complete: true, size: undefined, ranges: true, body };
  }
  if (content?.start === undefined || content.start > range.start || content.end! <= range.start) {
    throw unusable(response, range, file);
  }
  const { start, end, total } = content;
  return { start, end, complete: end! >= wanted, size: total, ranges: true, body };
}

/** The error of a response that does not have the first byte asked for. */
export function unusable(
  { status, headers }: Response,
  { start, end }: ByteRange,
  file: string,
): SourceError {
  return new SourceError(
    'Cannot use the response: its Content-Range is missing, hidden or of another range',
    {
      file,
      status,
      expected: `bytes ${start}-${end === undefined ? '' : end - 1}`,
      actual: headers.get('content-range'),
    },
  );
}

/** What statuses that stay the same mean for a reader of files. */
const REASONS = new Map([
  [401, 'it wants credentials (option `headers`)'],
  [403, 'these credentials, or a request without any, may not read the file'],
  [404, 'it has no such file'],
  [407, 'a proxy wants credentials'],
  [410, 'it no longer has the file'],
  [416, 'the file has no such range; it ends before'],
  [451, 'it may not give the file, for legal reasons'],
]);

/** Not implemented, HTTP version not supported, loop detected, network authentication required. */
const FINAL_5XX = [501, 505, 508, 511];

/** Request timeout, too early, too many requests, and the errors of a server or proxy (5xx) that may pass. */
function isRetryableStatus(status: number): boolean {
  if (status >= 500) return !FINAL_5XX.includes(status);
  return status === 408 || status === 425 || status === 429;
}

function announcedLength({ headers, type }: Response): number | undefined {
  // The length of an encoded body is not that of the file. Across origins the encoding is hidden.
  return isEncoded(headers) || type === 'cors' ? undefined : lengthOf(headers);
}

function lengthOf(headers: Headers): number | undefined {
  const length = headers.get('content-length');
  const bytes = length !== null && /^\d+$/.test(length) ? Number(length) : undefined;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Codings that `fetch` decodes; under any other name (`aws-chunked`, `none`, `utf-8`) the body comes as it is. */
const DECODED_CODINGS = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'zstd']);

/** Whether `fetch` decodes the body: where it does not know one of the codings, it decodes none. */
function isEncoded(headers: Headers): boolean {
  const codings = (headers.get('content-encoding') ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  return codings.length > 0 && codings.every((coding) => DECODED_CODINGS.has(coding));
}

/** What `Content-Range` says: bytes `start` to `end - 1` of `total`; no range in a response 416. */
export interface ContentRange {
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** undefined for `*`: the server does not know. */
  readonly total: number | undefined;
}

/**
 * Parses a `Content-Range` header of RFC 9110, section 14.4, in bytes.
 * @returns undefined when it is missing or malformed, or contradicts itself
 */
function parseContentRange(header: string | null): ContentRange | undefined {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(?:(\d+)|\*)$/i.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [start, last, total] = match.slice(1).map((text) => (text === undefined ? undefined : Number(text)));
  const end = last === undefined ? undefined : last + 1;
  if (start !== undefined && start >= end!) return undefined;
  if (total !== undefined && end !== undefined && end > total) return undefined;
  const numbers = [start, end, total].filter((value) => value !== undefined);
  return numbers.length > 0 && numbers.every(Number.isSafeInteger) ? { start, end, total } : undefined;
}
