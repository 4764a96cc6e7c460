/// <reference path="../peers.d.ts" />
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { SinkError, SourceError } from '../../src/errors.js';

export type Sdk = typeof import('@aws-sdk/client-s3');

/** A storage in one bucket, with what its requests need. */
export interface Bucket {
  readonly sdk: Sdk;
  readonly bucket: string;
  /** The whole key of an object. */
  keyOf(key: string): string;
  /** @throws what the client does */
  send<T>(command: object, options: AbortOptions): Promise<T>;
}

interface S3Failure {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The HTTP status of what the client has thrown; undefined when there was no response. */
export const statusOf = (error: unknown) => (error as S3Failure | null)?.$metadata?.httpStatusCode;

/** Throws what the client has thrown as an error of the family: of a request that reads. */
export function cannotRead(name: string, { signal }: AbortOptions): (cause: unknown) => never {
  return (cause) => {
    signal?.throwIfAborted();
    const { status, retryable, reason } = factsOf(cause);
    throw new SourceError(`Cannot read the object: the storage said ${reason}`, {
      name,
      status,
      retryable,
      cause,
    });
  };
}

/** The same of one that writes. */
export function cannotWrite(name: string, { signal }: AbortOptions): (cause: unknown) => never {
  return (cause) => {
    signal?.throwIfAborted();
    throw new SinkError(`Cannot write the object: the storage said ${factsOf(cause).reason}`, {
      name,
      cause,
    });
  };
}

function factsOf(cause: unknown) {
  const status = statusOf(cause);
  const code = (cause as S3Failure | null)?.name ?? 'nothing';
  const retryable = status === undefined || status >= 500 || status === 429;
  return { status, retryable, reason: status === undefined ? code : `${status} ${code}` };
}
