/** What tells versions of a file apart: the validators that a server sends with every response. */
export interface Validator {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Which of them to believe, see `HttpSourceOptions`. */
export type ValidateOption = 'etag' | 'last-modified' | 'size';

export const VALIDATE_OPTIONS: readonly ValidateOption[] = ['etag', 'last-modified', 'size'];

/** The validators of a response that are to be believed. */
export function validatorOf(headers: Headers, validate: ValidateOption): Validator {
  return {
    etag: validate === 'etag' ? (headers.get('etag') ?? undefined) : undefined,
    lastModified: validate === 'size' ? undefined : (headers.get('last-modified') ?? undefined),
  };
}

/**
 * Whether two responses can be about the same bytes; a validator that one of them lacks is no contradiction. ETags
 * compare weakly (RFC 9110, section 8.8.3.2): a proxy that compresses makes them weak, and the file is the same.
 */
export function agrees(a: Validator, b: Validator): boolean {
  if (a.etag !== undefined && b.etag !== undefined) return opaque(a.etag) === opaque(b.etag);
  return a.lastModified === undefined || b.lastModified === undefined || a.lastModified === b.lastModified;
}

function opaque(etag: string): string {
  return etag.replace(/^W\//, '');
}

/**
 * The validator that changes whenever the bytes do. A weak ETag (`W/…`) does not promise that; a date does to the
 * second, which is all that many servers have.
 */
export function strongest({ etag, lastModified }: Validator): string | undefined {
  return etag === undefined || etag.startsWith('W/') ? lastModified : etag;
}

/**
 * What to send as `If-Range`: the server then answers 200 instead of 206 when the file is no longer the one pinned. A
 * date counts only if it was at least a second old at the time of the response (RFC 9110, section 8.8.2.2): until then
 * the file may change again under the same date. Across origins nothing is sent: the header would need the server's
 * permission (a preflight), and responses are compared with what is pinned anyway.
 */
export function ifRangeOf({ headers, type }: Response, validator: Validator): string | undefined {
  const text = strongest(validator);
  if (text === undefined || type === 'cors') return undefined;
  if (text === validator.etag) return text;
  const age = Date.parse(headers.get('date') ?? '') - Date.parse(text);
  return age >= 1000 ? text : undefined;
}
