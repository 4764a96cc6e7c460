import * as errors from '../src/errors.js';

/**
 * An error that passes between threads, because a copy in another thread keeps message and stack, but neither class nor
 * fields.
 */
export interface PackedError {
  readonly className: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** The fields of a {@link errors.HolostreamError}, its cause packed too. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
  readonly cause: PackedError | undefined;
}

type HolostreamErrorClass = new (what: string, details: errors.ErrorDetails) => errors.HolostreamError;

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
  const own = error instanceof errors.HolostreamError ? fieldsOf(error) : undefined;
  return {
    className: own === undefined ? error.name : classNameOf(error),
    message,
    stack,
    fields: own,
    cause: cause === undefined ? undefined : packError(cause),
  };
}

/** The name by which the class is exported: a minifier may have renamed the class. */
function classNameOf(error: Error): string {
  return Object.entries(errors).find(([, Class]) => Class === error.constructor)?.[0] ?? error.name;
}

function fieldsOf(error: errors.HolostreamError): Record<string, unknown> {
  const { what, where, offset, blockIndex, fragmentIndex, expected, actual } = error;
  return { what, where, offset, blockIndex, fragmentIndex, expected, actual };
}

export function unpackError({ className, message, stack, fields, cause }: PackedError): Error {
  const classes = errors as unknown as Readonly<Record<string, HolostreamErrorClass | undefined>>;
  const Class = fields === undefined ? undefined : classes[className];
  const details = cause === undefined ? {} : { cause: unpackError(cause) };
  const error = Class === undefined ? new Error(message, details) : new Class(message, details);
  if (Class === undefined) error.name = className;
  return Object.assign(error, fields, { message, stack });
}
