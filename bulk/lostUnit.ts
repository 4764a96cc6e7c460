import type { AbortOptions } from '../src/checks/abortOptions.js';
import { FormatError, SourceError } from '../src/errors.js';
import type { BulkStorage } from './storage/storage.js';
import { unitObject } from './unitFile.js';

/**
 * The error for an object that is damaged or has gone: it is retryable. A damaged one is deleted, so that the next run encodes it.
 * @param cause what reading it has thrown; undefined when it does not exist
 */
export async function lostUnit(
  storage: BulkStorage,
  key: string,
  cause: unknown,
  options: AbortOptions & { readonly name?: string | undefined },
): Promise<SourceError> {
  const { name = unitObject(key) } = options;
  if (cause instanceof FormatError) await storage.remove(unitObject(key), options);
  const what = 'Cannot use an encoded unit: it was damaged or deleted; run again to encode it';
  return new SourceError(what, { name, retryable: true, cause });
}
