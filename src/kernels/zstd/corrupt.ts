import { CodecError } from '../../errors.js';

/** "Not standard": some writers call a dialect of their own Zstandard. */
export function corrupt(reason: string, offset: number): CodecError {
  return new CodecError(`Cannot decode the Zstd block, which is corrupt or not standard: ${reason}`, {
    offset,
  });
}
