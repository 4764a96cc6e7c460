import {
  type CodecError,
  type ErrorDetails,
  FormatError,
  HolostreamError,
  LimitError,
  UnsupportedError,
} from '../errors.js';

type Place = Pick<ErrorDetails, 'file' | 'tensor'>;

/** The same error with a place that was not known where it was made; one of another kind, or with a place, as it is. */
export function placed(
  cause: unknown,
  Kind: typeof FormatError | typeof CodecError | typeof UnsupportedError,
  place: Pick<ErrorDetails, 'blockIndex' | 'fragmentIndex'>,
): unknown {
  if (!(cause instanceof Kind) || (cause.blockIndex ?? cause.fragmentIndex) !== undefined) return cause;
  const { what, offset, expected, actual } = cause;
  return new Kind(what, { ...place, offset, expected, actual, cause });
}

/**
 * Runs work on the bytes of a file: errors of what is in them say which file it is, and which tensor, where they did not
 * know. They keep their class. Errors of sources, and of what callers pass, know their place.
 */
export async function withPlace<T>(place: Place, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inPlace(error, place);
  }
}

/** The same of an error that has been caught. */
export function inPlace(cause: unknown, { file, tensor }: Place): unknown {
  const isOfBytes = [FormatError, LimitError, UnsupportedError].some((Kind) => cause instanceof Kind);
  if (!(cause instanceof HolostreamError) || !isOfBytes) return cause;
  const missing = { file: cause.file ? undefined : file, tensor: cause.tensor ? undefined : tensor };
  if (!missing.file && !missing.tensor) return cause;
  const { what, where, offset, blockIndex, fragmentIndex, expected, actual } = cause;
  const Kind = cause.constructor as new (what: string, details: ErrorDetails) => HolostreamError;
  // What it has said of its place follows in the words.
  const error = new Kind(what, { ...missing, name: where || undefined, expected, actual, cause });
  const known = { file: cause.file ?? error.file, tensor: cause.tensor ?? tensor };
  return Object.assign(error, { ...known, offset, blockIndex, fragmentIndex });
}
