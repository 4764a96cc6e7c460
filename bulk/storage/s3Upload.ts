import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { type Bucket, cannotWrite, statusOf } from './s3Bucket.js';
import type { BulkUpload, UploadOptions } from './storage.js';

/** Least of a part but the last, and most parts of an object, as S3 has it: 5 MiB and 10,000. */
const PART_BYTES = 2 ** 23;
const MAX_PARTS = 10_000;

/** Parts on their way at the same time. */
const CONCURRENCY = 3;

interface Part {
  readonly PartNumber: number;
  readonly ETag?: string | undefined;
  readonly Size?: number | undefined;
}

/**
 * A multipart upload: parts of one size, which only depends on that of the object, so that a later run goes on where an
 * interrupted one has stopped. Memory: the parts on their way.
 */
export async function s3Upload(
  place: Bucket,
  key: string,
  { size, resume, signal }: UploadOptions,
): Promise<BulkUpload> {
  const partBytes = Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS));
  const left = resume === undefined ? undefined : await listParts(place, key, resume, { signal });
  if (resume !== undefined && left !== undefined) {
    const whole = left.findIndex(({ PartNumber, Size }, i) => PartNumber !== i + 1 || Size !== partBytes);
    return new S3Upload(place, key, resume, partBytes, whole < 0 ? left : left.slice(0, whole), { signal });
  }
  const { sdk, bucket, keyOf, send } = place;
  const { UploadId } = await send<{ readonly UploadId: string }>(
    new sdk.CreateMultipartUploadCommand({ Bucket: bucket, Key: keyOf(key) }),
    { signal },
  ).catch(cannotWrite(key, { signal }));
  return new S3Upload(place, key, UploadId, partBytes, [], { signal });
}

/** The parts of an earlier upload; undefined when it no longer exists. */
async function listParts(
  { sdk, bucket, keyOf, send }: Bucket,
  key: string,
  UploadId: string,
  options: AbortOptions,
): Promise<Part[] | undefined> {
  const parts: Part[] = [];
  let PartNumberMarker: string | undefined;
  do {
    const command = new sdk.ListPartsCommand({ Bucket: bucket, Key: keyOf(key), UploadId, PartNumberMarker });
    const page = await send<{
      readonly Parts?: readonly Part[];
      readonly IsTruncated?: boolean;
      readonly NextPartNumberMarker?: string;
    }>(command, options).catch((error: unknown) => {
      const status = statusOf(error);
      // Services that cannot list parts begin anew.
      if (status !== undefined && [400, 404, 405, 501].includes(status)) return undefined;
      return cannotWrite(key, options)(error);
    });
    if (page === undefined) return undefined;
    for (const part of page.Parts ?? []) parts.push(part);
    PartNumberMarker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
  } while (PartNumberMarker !== undefined);
  return parts;
}

class S3Upload implements BulkUpload {
  readonly offset: number;
  readonly state: string;
  readonly #place: Bucket;
  readonly #key: string;
  readonly #partBytes: number;
  readonly #parts: Part[];
  readonly #options: AbortOptions;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #part: Uint8Array;
  #filled = 0;
  #number: number;

  constructor(
    place: Bucket,
    key: string,
    state: string,
    partBytes: number,
    parts: readonly Part[],
    options: AbortOptions,
  ) {
    this.#place = place;
    this.#key = key;
    this.state = state;
    this.#partBytes = partBytes;
    this.#parts = [...parts];
    this.#options = options;
    this.#number = parts.length;
    this.offset = parts.length * partBytes;
    this.#part = new Uint8Array(partBytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(bytes.length - at, this.#partBytes - this.#filled);
      this.#part.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === this.#partBytes) await this.#send();
    }
  }

  async complete(): Promise<void> {
    if (this.#filled > 0 || this.#number === 0) await this.#send();
    await Promise.all(this.#underWay);
    this.#throwFailure();
    const { sdk, bucket, keyOf, send } = this.#place;
    const Parts = this.#parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    const command = new sdk.CompleteMultipartUploadCommand({
      Bucket: bucket,
      Key: keyOf(this.#key),
      UploadId: this.state,
      MultipartUpload: { Parts },
    });
    await send(command, this.#options).catch(cannotWrite(this.#key, this.#options));
  }

  async pause(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async abort(): Promise<void> {
    await this.pause();
    const { sdk, bucket, keyOf, send } = this.#place;
    const command = new sdk.AbortMultipartUploadCommand({
      Bucket: bucket,
      Key: keyOf(this.#key),
      UploadId: this.state,
    });
    await send(command, {}).catch(cannotWrite(this.#key, {}));
  }

  /** Sends the part that is full, while the next one is filled. */
  async #send(): Promise<void> {
    this.#throwFailure();
    const body = this.#part.subarray(0, this.#filled);
    this.#part = new Uint8Array(this.#partBytes);
    this.#filled = 0;
    this.#number++;
    const sending: Promise<void> = this.#sendPart(this.#number, body)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
    if (this.#underWay.size >= CONCURRENCY) await Promise.race(this.#underWay);
    this.#throwFailure();
  }

  async #sendPart(PartNumber: number, Body: Uint8Array): Promise<void> {
    const { sdk, bucket, keyOf, send } = this.#place;
    const command = new sdk.UploadPartCommand({
      Bucket: bucket,
      Key: keyOf(this.#key),
      UploadId: this.state,
      PartNumber,
      Body,
    });
    const { ETag } = await send<{ readonly ETag?: string }>(command, this.#options).catch(
      cannotWrite(this.#key, this.#options),
    );
    this.#parts[PartNumber - 1] = { PartNumber, ETag };
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
