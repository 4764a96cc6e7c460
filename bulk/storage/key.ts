import { isPlainFileName } from '../../models/directory/fileNames.js';
import { ArgumentError } from '../../src/errors.js';

/** Longest key that S3 takes, in bytes of UTF-8. */
const MAX_KEY_LENGTH = 1024;

/**
 * What we keep beside the results. Lifecycle rules name this prefix.
 */
export const OWN_PREFIX = '.holostream/';

/**
 * A key that no storage takes for anything else, such as a path out of a folder.
 * @throws ArgumentError
 */
export function checkKey(key: string): string {
  const names = key.replace(OWN_PREFIX, '').split('/');
  // Temporary files begin with a dot: a folder lists those that killed processes have left, to be deleted as others.
  const isOwn = key.startsWith(OWN_PREFIX);
  const isPlain = (name: string) => isPlainFileName(isOwn ? name.replace(/^\./, '') : name);
  if (names.every(isPlain) && Buffer.byteLength(key) <= MAX_KEY_LENGTH) return key;
  throw new ArgumentError('Cannot use this key of an object', {
    expected: `plain names with / between them, of at most ${MAX_KEY_LENGTH} bytes`,
    actual: key,
  });
}

/** The key of an output. @throws ArgumentError for one among our own */
export function checkOutput(key: string): string {
  if (!checkKey(key).startsWith(OWN_PREFIX)) return key;
  throw new ArgumentError('Cannot write the model to this key: it begins as those of parts do', {
    actual: key,
  });
}
