import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { type Bucket, cannotRead } from './s3Bucket.js';
import type { ListedObject } from './storage.js';

interface Page {
  readonly Contents?: readonly {
    readonly Key: string;
    readonly Size?: number;
    readonly LastModified?: Date;
  }[];
  readonly IsTruncated?: boolean;
  readonly NextContinuationToken?: string;
}

/** Objects by their keys, a page of the service at a time. */
export async function* listObjects(
  { sdk, bucket, keyOf, send }: Bucket,
  prefix: string,
  options: AbortOptions,
): AsyncGenerator<ListedObject> {
  const Prefix = `${keyOf(prefix.replace(/\/$/, ''))}/`;
  const start = Prefix.length - prefix.length;
  let ContinuationToken: string | undefined;
  do {
    const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix, ContinuationToken });
    const page = await send<Page>(command, options).catch(cannotRead(prefix, options));
    for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
      // Without a time, it counts as new.
      yield { key: Key.slice(start), size: Size, modified: LastModified?.getTime() ?? Date.now() };
    }
    ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (ContinuationToken !== undefined);
}
