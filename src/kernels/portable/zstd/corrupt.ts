import { CodecError } from '../../../errors.js';

export function corrupt(what: string, offset: number): CodecError {
  return new CodecError(`Zstd block: ${what}`, { offset });
}
