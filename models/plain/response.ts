import { ABORT_RULES, type AbortOptions } from '../../src/checks/abortOptions.js';
import { checkOptions, oneOf, type Rules, text } from '../../src/checks/options.js';
import type { ByteSource } from '../../src/source.js';

export interface PlainResponseOptions extends AbortOptions {
  /**
   * The value of a `Range` header: one range of bytes gives status 206; several, and what is no range of bytes, are ignored.
   * Default: the whole file.
   */
  readonly range?: string | undefined;
  /** Default 'GET'. */
  readonly method?: 'GET' | 'HEAD' | undefined;
}

const RULES: Rules<PlainResponseOptions> = {
  ...ABORT_RULES,
  range: text,
  method: /* @__PURE__ */ oneOf(['GET', 'HEAD']),
};

/** What the body is streamed from. */
interface Body extends Pick<ByteSource, 'stream'> {
  readonly size: number;
  readonly quality: number | undefined;
}

/** Bytes from `start` to `end`, or that there are none. */
export type RequestedRange = { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined;

export function plainResponse(file: Body, tag: string | undefined, options: PlainResponseOptions): Response {
  const { range, method = 'GET', signal } = checkOptions(options, RULES);
  const requested = range === undefined || method === 'HEAD' ? undefined : parseRange(range, file.size);
  const headers = new Headers({ 'Accept-Ranges': 'bytes' });
  if (tag !== undefined) headers.set('ETag', `"${tag}"`);
  if (file.quality !== 1) headers.set('Cache-Control', 'no-store');
  if (requested === 'unsatisfiable') {
    headers.set('Content-Range', `bytes */${file.size}`);
    return new Response(null, { status: 416, statusText: 'Range Not Satisfiable', headers });
  }
  const { start, end } = requested ?? { start: 0, end: file.size };
  headers.set('Content-Type', 'application/octet-stream');
  headers.set('Content-Length', String(end - start));
  if (requested !== undefined) headers.set('Content-Range', `bytes ${start}-${end - 1}/${file.size}`);
  const body = method === 'HEAD' ? null : file.stream({ start, end, signal });
  return new Response(body, {
    ...(requested === undefined
      ? { status: 200, statusText: 'OK' }
      : { status: 206, statusText: 'Partial Content' }),
    headers,
  });
}

function parseRange(range: string, size: number): RequestedRange {
  const [, first, last] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range) ?? [];
  return requestedRange(size, first, last);
}

/**
 * What a request for the bytes `first-last` gets of a file (RFC 9110, section 14): `0-499`, `500-`, `-500`. Undefined for what a
 * server may ignore.
 */
export function requestedRange(size: number, first = '', last = ''): RequestedRange {
  if (first === '') {
    if (last === '') return undefined;
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}
