import { escapeText } from '../../src/errors/show.js';
import { SourceError } from '../../src/errors.js';
import type { Refusal } from './refusal.js';

/** Codes of Node's TLS errors that no second attempt mends: the certificate, or a server that speaks no TLS. */
const FINAL_CODES = /^(CERT_|ERR_TLS_CERT|UNABLE_TO_)|SELF_SIGNED|WRONG_VERSION_NUMBER/;

/**
 * The error of a request that `fetch` rejected. A connection that failed may succeed later; what `fetch` refuses to do
 * stays refused.
 * @param refusal of a browser, where that is known
 */
export function requestFailure(
  cause: unknown,
  url: URL,
  offset: number,
  refusal: Refusal | undefined,
): SourceError {
  if (!url.protocol.startsWith('http')) {
    const hint =
      url.protocol === 'file:'
        ? ' (in Node, give the URL to `openModel` or a reader, or use `fileSource` of holostream/node)'
        : '';
    return new SourceError(`Cannot read the file: \`fetch\` does not read ${url.protocol} URLs here${hint}`, {
      file: url.href,
      cause,
    });
  }
  const reason = reasonOf(cause);
  const why = refusal?.why ?? (reason === undefined ? undefined : escapeText(reason.message));
  return new SourceError(
    `Cannot read from the server: the request failed${why === undefined ? '' : `: ${why}`}`,
    {
      file: url.href,
      offset,
      retryable: refusal === undefined ? reason === undefined || !isFinal(reason) : !refusal.final,
      expected: refusal?.expected,
      cause,
    },
  );
}

/** As a browser rejects: without a reason. */
export function isUnexplained(cause: unknown): boolean {
  return cause instanceof TypeError && reasonOf(cause) === undefined;
}

interface Reason {
  readonly message: string;
  readonly code: string | undefined;
}

/** Node says "fetch failed", and why in the cause; browsers do not say why. */
function reasonOf(error: unknown): Reason | undefined {
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) return undefined;
  const { message, code } = error.cause as Error & { code?: unknown };
  // Node's error for several addresses has no message of its own.
  return { message: message || String(code), code: code === undefined ? undefined : String(code) };
}

/** Failures of the network have a code in Node; those without are rules of fetch, such as its blocked ports. */
function isFinal({ code }: Reason): boolean {
  return code === undefined || FINAL_CODES.test(code);
}
