import { createHash } from 'node:crypto';

/** The SHA-256 of a text and of bytes after it, in hexadecimal digits: keys of objects, models and jobs. */
export function sha256(text: string, data: Iterable<Uint8Array> = []): string {
  const hash = createHash('sha256').update(text);
  for (const bytes of data) hash.update(bytes);
  return hash.digest('hex');
}
