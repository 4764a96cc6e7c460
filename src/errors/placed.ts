import type { CodecError, ErrorDetails, FormatError } from '../errors.js';

/** The same error with a place that was not known where it was made; one of another kind, or with a place, as it is. */
export function placed(
  cause: unknown,
  Kind: typeof FormatError | typeof CodecError,
  place: Pick<ErrorDetails, 'blockIndex' | 'fragmentIndex'>,
): unknown {
  if (!(cause instanceof Kind) || (cause.blockIndex ?? cause.fragmentIndex) !== undefined) return cause;
  const { what, offset, expected, actual } = cause;
  return new Kind(what, { ...place, offset, expected, actual, cause });
}
