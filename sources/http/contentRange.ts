/** What `Content-Range` says: bytes `start` to `end - 1` of `total`; no range in the answer 416. */
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
export function parseContentRange(header: string | null): ContentRange | undefined {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(?:(\d+)|\*)$/i.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [start, last, total] = match.slice(1).map((text) => (text === undefined ? undefined : Number(text)));
  const end = last === undefined ? undefined : last + 1;
  if (start !== undefined && start >= end!) return undefined;
  if (total !== undefined && end !== undefined && end > total) return undefined;
  const numbers = [start, end, total].filter((value) => value !== undefined);
  return numbers.length > 0 && numbers.every(Number.isSafeInteger) ? { start, end, total } : undefined;
}
