import { CodecError } from '../../../errors.js';

/** "Not standard": some writers call a dialect of their own Zstandard. */
export function corrupt(what: string, offset: number): CodecError {
  return new CodecError(`Zstd block is corrupt or not standard: ${what}`, { offset });
}
