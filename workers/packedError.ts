import {
  ArgumentError,
  ChecksumError,
  CodecError,
  type ErrorDetails,
  FormatError,
  HolostreamError,
  LimitError,
  SinkError,
  SourceChangedError,
  SourceError,
  TruncatedError,
  UnsupportedError,
  WorkerError,
} from '../src/errors.js';

type HolostreamErrorClass = new (what: string, details: ErrorDetails) => HolostreamError;

/**
 * The classes of `src/errors.ts`, by the names under which it exports them: a minifier may have renamed the classes. Not the
 * module as a whole, because bundlers would make an object of it in every page.
 */
const CLASSES: Readonly<Record<string, HolostreamErrorClass>> = {
  ArgumentError,
  ChecksumError,
  CodecError,
  FormatError,
  HolostreamError,
  LimitError,
  SinkError,
  SourceChangedError,
  SourceError,
  TruncatedError,
  UnsupportedError,
  WorkerError,
};

/**
 * An error that passes between threads, because a copy in another thread keeps message and stack, but neither class nor
 * fields.
 */
export interface PackedError {
  readonly className: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** The fields of a {@link HolostreamError}, its cause packed too. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
  readonly cause: PackedError | undefined;
}

export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) {
    return {
      className: 'Error',
      message: String(error),
      stack: undefined,
      fields: undefined,
      cause: undefined,
    };
  }
  const { message, stack, cause } = error;
  const own = error instanceof HolostreamError ? fieldsOf(error) : undefined;
  return {
    className: own === undefined ? error.name : classNameOf(error),
    message,
    stack,
    fields: own,
    cause: cause === undefined ? undefined : packError(cause),
  };
}

function classNameOf(error: Error): string {
  return Object.entries(CLASSES).find(([, Class]) => Class === error.constructor)?.[0] ?? error.name;
}

function fieldsOf(error: HolostreamError): Record<string, unknown> {
  const { what, where, file, tensor, offset, blockIndex, fragmentIndex, expected, actual } = error;
  return { what, where, file, tensor, offset, blockIndex, fragmentIndex, expected, actual };
}

export function unpackError({ className, message, stack, fields, cause }: PackedError): Error {
  const Class = fields === undefined ? undefined : CLASSES[className];
  const details = cause === undefined ? {} : { cause: unpackError(cause) };
  const error = Class === undefined ? new Error(message, details) : new Class(message, details);
  if (Class === undefined) error.name = className;
  return Object.assign(error, fields, { message, stack });
}
