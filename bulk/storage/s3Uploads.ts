import { type Bucket, cannotRead, cannotWrite, statusOf } from './s3Bucket.js';
import type { AbortUploadsOptions } from './storage.js';

/** Multipart uploads that were neither completed nor aborted: their parts are stored, and paid for, until they are. */

interface Page {
  readonly Uploads?: readonly {
    readonly Key: string;
    readonly UploadId: string;
    readonly Initiated?: Date;
  }[];
  readonly IsTruncated?: boolean;
  readonly NextKeyMarker?: string;
  readonly NextUploadIdMarker?: string;
}

export async function abortUploads(
  place: Bucket,
  key: string,
  { before = Infinity, signal }: AbortUploadsOptions,
): Promise<void> {
  const { sdk, bucket, keyOf, send } = place;
  const Key = keyOf(key);
  // Collected first: pages move when uploads are aborted meanwhile.
  const found: string[] = [];
  for await (const page of pages(place, key, { signal })) {
    // Keys that only begin with this one are listed, too. Without a time, an upload counts as new.
    for (const { Key: other, UploadId, Initiated } of page.Uploads ?? [])
      if (other === Key && (before === Infinity || (Initiated?.getTime() ?? before) < before))
        found.push(UploadId);
  }
  for (const UploadId of found) {
    const command = new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId });
    await send(command, { signal }).catch((error: unknown) => {
      // It has been completed or aborted meanwhile.
      if (statusOf(error) !== 404) cannotWrite(key, { signal })(error);
    });
  }
}

async function* pages(
  { sdk, bucket, keyOf, send }: Bucket,
  key: string,
  { signal }: AbortUploadsOptions,
): AsyncGenerator<Page> {
  let KeyMarker: string | undefined;
  let UploadIdMarker: string | undefined;
  do {
    const where: object = { Bucket: bucket, Prefix: keyOf(key), KeyMarker, UploadIdMarker };
    const page: Page = await send<Page>(new sdk.ListMultipartUploadsCommand(where), { signal }).catch(
      (error: unknown): Page => {
        const status = statusOf(error);
        // Some services cannot list them.
        if (status === 400 || status === 405 || status === 501) return {};
        return cannotRead(key, { signal })(error);
      },
    );
    yield page;
    KeyMarker = page.IsTruncated ? page.NextKeyMarker : undefined;
    UploadIdMarker = page.IsTruncated ? page.NextUploadIdMarker : undefined;
  } while (KeyMarker !== undefined);
}
