import { CodecError } from '../../errors.js';

/** "Not standard" because some writers call their own dialect Zstandard. */
export function corrupt(reason: string, offset: number): CodecError {
  return new CodecError(`Cannot decode the Zstd block, which is corrupt or not standard: ${reason}`, {
    offset,
  });
}
