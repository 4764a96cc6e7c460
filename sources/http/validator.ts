/** What tells versions of a file apart: the validators that a server sends with every response. */
export interface Validator {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export function validatorOf(headers: Headers): Validator {
  return {
    etag: headers.get('etag') ?? undefined,
    lastModified: headers.get('last-modified') ?? undefined,
  };
}

/** Whether two responses can be about the same bytes; a validator that one of them lacks is no contradiction. */
export function agrees(a: Validator, b: Validator): boolean {
  if (a.etag !== undefined && b.etag !== undefined) return a.etag === b.etag;
  return a.lastModified === undefined || b.lastModified === undefined || a.lastModified === b.lastModified;
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
export function ifRangeOf({ headers, type }: Response): string | undefined {
  const validator = validatorOf(headers);
  const text = strongest(validator);
  if (text === undefined || type === 'cors') return undefined;
  if (text === validator.etag) return text;
  const age = Date.parse(headers.get('date') ?? '') - Date.parse(text);
  return age >= 1000 ? text : undefined;
}
