import { startTimer } from '../../platform/timer.js';
import { nextTask } from '../../src/async/steps.js';

/** Why a browser did not send a request, or keeps its response to itself. */
export interface Refusal {
  readonly why: string;
  /** Another attempt fails in the same way. */
  readonly final: boolean;
  readonly expected?: string;
}

/** How long to wait for a server that may not be there. */
const PROBE_MS = 5000;

/**
 * Browsers tell scripts only that a request failed, not why. Whether the server can be reached at all shows which it is:
 * a broken connection, or rules of the browser. Those stay as they are.
 *
 * @returns undefined for what looks like a broken connection
 */
export async function refusalOf(url: URL, fetch: typeof globalThis.fetch): Promise<Refusal | undefined> {
  const { origin, protocol } = globalThis.location;
  const elsewhere = url.origin !== origin;
  const probe = await probed(url, elsewhere, fetch);
  const expected = `Access-Control-Allow-Origin: ${origin}, or *`;
  // Of its own origin, a page may read everything but what a redirect leads to.
  if (probe.reached && (elsewhere || probe.redirects)) {
    const why =
      'the browser refused the response; the likely cause is CORS, by which the server does not allow this page, or its headers (docs/hosting.md)';
    return { why, final: true, expected };
  }
  if (probe.blocked) {
    const why = "the page's Content-Security-Policy does not allow it (connect-src, see docs/hosting.md)";
    return { why, final: true };
  }
  if (elsewhere && protocol === 'https:' && url.protocol === 'http:') {
    return { why: 'a page that came by https: may not read what comes by http:', final: true };
  }
  if (!elsewhere || probe.reached) return undefined;
  const why = 'the server cannot be reached, or does not allow this page by CORS (docs/hosting.md)';
  return { why, final: false, expected };
}

/** Asks without wanting to read the response, which any page may do. */
async function probed(url: URL, elsewhere: boolean, fetch: typeof globalThis.fetch) {
  const found = { reached: false, redirects: false, blocked: false };
  const blocked = (event: Event) => {
    if ('effectiveDirective' in event && event.effectiveDirective === 'connect-src') found.blocked = true;
  };
  globalThis.addEventListener?.('securitypolicyviolation', blocked);
  const abort = new AbortController();
  const stopTimer = startTimer(PROBE_MS, () => abort.abort());
  try {
    const rules = elsewhere ? ({ mode: 'no-cors' } as const) : ({ redirect: 'manual' } as const);
    const { type } = await fetch(url.href, { method: 'HEAD', signal: abort.signal, ...rules });
    found.reached = true;
    found.redirects = type === 'opaqueredirect';
  } catch {
    // The event follows the rejection.
    await nextTask();
  } finally {
    stopTimer();
    globalThis.removeEventListener?.('securitypolicyviolation', blocked);
  }
  return found;
}
