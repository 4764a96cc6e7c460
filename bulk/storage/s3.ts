import { setTimeout as sleep } from 'node:timers/promises';
import { untilAborted, withOwnSignal } from '../../platform/abort.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { type SinkError, SourceChangedError, TruncatedError, UnsupportedError } from '../../src/errors.js';
import { checkKey, OWN_PREFIX } from './key.js';
import { type Bucket, cannotRead, cannotWrite, type Sdk, statusOf } from './s3Bucket.js';
import { listObjects } from './s3List.js';
import { s3Upload } from './s3Upload.js';
import { abortUploads } from './s3Uploads.js';
import { type BulkStorage, MAX_RECORD_BYTES } from './storage.js';

/** How often the client sends a request that a server cannot serve at the moment. */
const MAX_ATTEMPTS = 8;
/** How often a range is asked for whose bytes break off. */
const MAX_READS = 5;
const FIRST_WAIT_MS = 200;

/**
 * A storage in a bucket of S3, or of a service with its API: R2, MinIO, GCS. An endpoint of the environment
 * (`AWS_ENDPOINT_URL_S3`) is asked with the bucket in its path.
 *
 * @throws UnsupportedError when the package `@aws-sdk/client-s3` is not installed
 */
export async function s3Storage(bucket: string, prefix: string): Promise<BulkStorage> {
  const sdk = await loadSdk();
  const client = newClient(sdk);
  const start = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const place: Bucket = {
    sdk,
    bucket,
    keyOf: (key) => start + checkKey(key),
    send: <T>(command: object, { signal }: AbortOptions) =>
      withOwnSignal(signal, async (own) => {
        own.throwIfAborted();
        return (await client.send(command, { abortSignal: own })) as T;
      }),
  };
  let conditions: Promise<boolean> | undefined;
  // Asked with the first object that is created: storages of sources may not be written to.
  const hasConditions = () => {
    if (conditions === undefined) {
      const asked = probe(place);
      conditions = asked;
      asked.catch(() => {
        if (conditions === asked) conditions = undefined;
      });
    }
    return conditions;
  };
  return {
    url: `s3://${bucket}/${start}`.replace(/\/$/, ''),
    head: (key, options = {}) => head(place, key, options),
    async get(key, options = {}) {
      const found = await head(place, key, options);
      return found && read(place, key, 0, Math.min(found.size, MAX_RECORD_BYTES), { ...found, ...options });
    },
    read: (key, offset, length, options = {}) => read(place, key, offset, length, options),
    put: (key, bytes, options = {}) => put(place, key, bytes, {}, options),
    async create(key, bytes, options = {}) {
      if (!(await hasConditions())) {
        await put(place, key, bytes, {}, options);
        return true;
      }
      return createObject(place, key, bytes, options);
    },
    upload: (key, options) => s3Upload(place, key, options),
    abortUploads: (key, options = {}) => abortUploads(place, key, options),
    async remove(key, options = {}) {
      const Key = place.keyOf(key);
      await place
        .send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key }), options)
        .catch(cannotWrite(key, options));
    },
    list: (prefix, options = {}) => listObjects(place, prefix, options),
  };
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    const what = 'Cannot use S3: install the package @aws-sdk/client-s3';
    throw new UnsupportedError(what, { cause });
  }
}

function newClient({ S3Client }: Sdk) {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  return new S3Client({
    maxAttempts: MAX_ATTEMPTS,
    forcePathStyle: (AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL) !== undefined,
    // Other services do not know the checksums that newer clients add; ours are in the bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

async function head({ sdk, bucket, keyOf, send }: Bucket, key: string, options: AbortOptions) {
  const Key = keyOf(key);
  try {
    const found = await send<{ readonly ContentLength?: number; readonly ETag?: string }>(
      new sdk.HeadObjectCommand({ Bucket: bucket, Key }),
      options,
    );
    return { size: found.ContentLength ?? 0, version: found.ETag };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    return cannotRead(key, options)(error);
  }
}

async function read(
  { sdk, bucket, keyOf, send }: Bucket,
  key: string,
  offset: number,
  length: number,
  { version, signal }: AbortOptions & { readonly version?: string | undefined },
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  const Range = `bytes=${offset}-${offset + length - 1}`;
  const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: keyOf(key), Range, IfMatch: version });
  for (let attempt = 1; ; attempt++) {
    try {
      return await withOwnSignal(signal, async (own) => {
        const { Body, ContentLength } = await send<ObjectResponse>(command, { signal: own });
        // Nothing larger is taken into memory.
        if (ContentLength !== undefined && ContentLength !== length)
          throw wrongLength(key, length, ContentLength);
        const bytes = await untilAborted(Body.transformToByteArray(), own);
        if (bytes.length !== length) throw wrongLength(key, length, bytes.length);
        return bytes;
      });
    } catch (error) {
      signal?.throwIfAborted();
      const status = statusOf(error);
      if (status === 412) {
        const what = 'Cannot continue to read the object: it has changed';
        throw new SourceChangedError(what, { name: key, cause: error });
      }
      if (error instanceof TruncatedError) throw error;
      if ((status !== undefined && status < 500) || attempt === MAX_READS) cannotRead(key, {})(error);
      const wait = FIRST_WAIT_MS * 2 ** (attempt - 1) * Math.random();
      // An abort ends the wait, and the next attempt throws its reason.
      await withOwnSignal(signal, (own) => sleep(wait, undefined, { signal: own })).catch(() => {});
    }
  }
}

interface ObjectResponse {
  readonly Body: { transformToByteArray(): Promise<Uint8Array> };
  readonly ContentLength?: number;
}

function wrongLength(name: string, expected: number, actual: number): TruncatedError {
  return new TruncatedError('Cannot read the object: the response has another length', {
    name,
    expected: `${expected} bytes`,
    actual,
  });
}

async function put(
  { sdk, bucket, keyOf, send }: Bucket,
  key: string,
  bytes: Uint8Array,
  conditions: { readonly IfNoneMatch?: '*' },
  options: AbortOptions,
): Promise<void> {
  const Key = keyOf(key);
  const command = new sdk.PutObjectCommand({ Bucket: bucket, Key, Body: bytes, ...conditions });
  await send(command, options).catch(cannotWrite(key, options));
}

/** 412: it exists. 409: another process is writing it at this moment. */
async function createObject(
  place: Bucket,
  key: string,
  bytes: Uint8Array,
  options: AbortOptions,
): Promise<boolean> {
  try {
    await put(place, key, bytes, { IfNoneMatch: '*' }, options);
    return true;
  } catch (error) {
    const status = statusOf((error as SinkError).cause);
    if (status === 412) return false;
    if (status !== 409) throw error;
    await put(place, key, bytes, {}, options);
    return true;
  }
}

/** Whether the service takes conditions: some ignore them, and write all the same. */
async function probe(place: Bucket): Promise<boolean> {
  const key = `${OWN_PREFIX}probe`;
  const bytes = new TextEncoder().encode('Whether the service knows If-None-Match.');
  try {
    await put(place, key, bytes, {}, {});
    return !(await createObject(place, key, bytes, {}));
  } catch (error) {
    // A service that refuses conditions as such: what is wrong otherwise shows with the first write.
    const status = statusOf((error as SinkError).cause);
    if (status === 400 || status === 501) return false;
    throw error;
  }
}
