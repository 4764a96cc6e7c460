import { checkResponse } from '../../../sources/http/response.js';
import { SourceError } from '../../../src/errors.js';
import type { Reading, Seed, Target } from '../target.js';

/**
 * Responses of a server to a request for a range, as JSON: status, reason and headers; and the range that was asked for.
 */
interface Exchange {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Record<string, string>;
  readonly start: number;
  readonly end?: number;
  readonly knownSize?: number;
}

export async function httpTargets(): Promise<Target[]> {
  return [
    {
      name: 'http-response',
      seeds: seeds(),
      anatomy: {
        split: (input) => [{ kind: 'exchange', bytes: input, json: true }],
        join: ([part]) => part?.bytes ?? new Uint8Array(0),
      },
      ways: [{ name: 'checked', read }],
      memory: (input) => 2 ** 18 + 64 * input.length,
    },
  ];
}

function read(input: Uint8Array): Reading {
  const { response, start, end, knownSize } = exchangeOf(input);
  const checked = checkResponse(response, { start, end }, 'https://example.org/w', knownSize);
  if (checked === undefined) return { facts: 'unknown' };
  const { start: from, end: to, size } = checked;
  const known = to === undefined || (Number.isSafeInteger(to) && to >= from);
  const sound = from <= Math.max(start, to ?? start) && known && (size === undefined || size >= (to ?? 0));
  if (!sound) throw new Error(`impossible range ${from} to ${to} of ${size}`);
  return { facts: `${from} ${to} ${size}` };
}

/** @throws SourceError for what no server and no caller can send */
function exchangeOf(input: Uint8Array) {
  try {
    const { status, statusText, headers, start, end, knownSize } = JSON.parse(
      new TextDecoder().decode(input),
    ) as Exchange;
    const whole = [start, end ?? start, knownSize ?? 0].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    );
    if (!whole || (end ?? start + 1) <= start) throw new Error('no range');
    const response = new Response(null, { status: Number(status), statusText, headers });
    return { response, start, end, knownSize };
  } catch (cause) {
    throw new SourceError('Cannot make a response of this', { cause });
  }
}

function seeds(): Seed[] {
  const seed = (name: string, exchange: Exchange): Seed => ({
    name,
    bytes: new TextEncoder().encode(JSON.stringify(exchange)),
    sealed: false,
  });
  const ok = { statusText: 'OK', start: 10, end: 20 } as const;
  const range = { 'content-range': 'bytes 10-19/100', 'content-length': '10', etag: '"a"' };
  return [
    seed('range', { ...ok, status: 206, headers: range }),
    seed('short-range', { ...ok, status: 206, headers: { 'content-range': 'bytes 10-14/*' } }),
    seed('hidden-range', { ...ok, status: 206, headers: { 'content-length': '10' } }),
    seed('whole', {
      ...ok,
      status: 200,
      headers: { 'content-length': '100', 'content-encoding': 'identity' },
      knownSize: 100,
    }),
    seed('past-the-end', {
      ...ok,
      start: 200,
      end: 300,
      status: 416,
      headers: { 'content-range': 'bytes */100' },
    }),
  ];
}
