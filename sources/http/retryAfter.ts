/**
 * How long a server asks to be left alone: by `Retry-After`, else by the rate limit that is used up.
 * @param now the present, in milliseconds since 1970
 * @returns milliseconds from now; undefined where the server does not say, or not in a form that is known
 */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  return parseRetryAfter(headers.get('retry-after'), now) ?? rateLimitReset(headers, now);
}

/** `Retry-After` of RFC 9110, section 10.2.3: seconds or a date. */
function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * When a limit of requests is renewed, of a server that says it by `RateLimit` (drafts of the IETF's HTTPAPI group), or
 * by `RateLimit-Reset` or `X-RateLimit-Reset`. A limit of which something remains is not why the server refused.
 */
function rateLimitReset(headers: Headers, now: number): number | undefined {
  const limits = (headers.get('ratelimit') ?? '').split(/,(?=\s*")/).map(parseRateLimit);
  const resets = limits.filter(({ remaining }) => !((remaining ?? 0) > 0)).map(({ reset }) => reset);
  for (const prefix of ['ratelimit', 'x-ratelimit']) {
    const remaining = numberOf(headers.get(`${prefix}-remaining`));
    if (!((remaining ?? 0) > 0)) resets.push(numberOf(headers.get(`${prefix}-reset`)));
  }
  let latest: number | undefined;
  for (const reset of resets) {
    if (reset !== undefined) latest = Math.max(latest ?? 0, fromNow(reset, now));
  }
  return latest;
}

/** Both forms: `"policy";r=0;t=30` of the later drafts, and `limit=10, remaining=0, reset=30` of the earlier ones. */
function parseRateLimit(text: string): { remaining: number | undefined; reset: number | undefined } {
  const field = (names: string) => numberOf(new RegExp(`(?:^|[;,\\s])(?:${names})=(\\d+)`).exec(text)?.[1]);
  return { remaining: field('r|remaining'), reset: field('t|reset') };
}

function numberOf(text: string | null | undefined): number | undefined {
  return /^\d+(\.\d+)?$/.test((text ?? '').trim()) ? Number(text) : undefined;
}

/** Servers differ: seconds from now, or a time in seconds or milliseconds since 1970. */
function fromNow(reset: number, now: number): number {
  if (reset >= 1e12) return Math.max(0, reset - now);
  return reset >= 1e9 ? Math.max(0, reset * 1000 - now) : reset * 1000;
}
