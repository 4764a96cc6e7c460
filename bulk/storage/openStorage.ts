import { check, text } from '../../src/checks/options.js';
import { folderStorage } from './folder.js';
import type { BulkStorage } from './storage.js';

/** `s3://bucket/prefix/`, the prefix empty or ending in a slash. */
export const S3_URL = /^s3:\/\/([^/]+)\/?(.*)$/s;

/**
 * The storage that a text names: `s3://bucket/prefix`, for which the package `@aws-sdk/client-s3` must be installed, or the
 * path of a folder.
 *
 * @example
 * const storage = await openBulkStorage('converted');
 * console.log(await storage.head('model.holo.safetensors'));
 *
 * @throws SinkError when the folder cannot be made; UnsupportedError when the package is missing
 */
export async function openBulkStorage(url: string): Promise<BulkStorage> {
  check('url', url, text);
  const [, bucket, prefix = ''] = S3_URL.exec(url) ?? [];
  if (bucket === undefined) return folderStorage(url);
  const { s3Storage } = await import('./s3.js');
  return s3Storage(bucket, prefix);
}
