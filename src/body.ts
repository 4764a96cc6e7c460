import { ArgumentError, SourceError } from './errors.js';

/** A stream, a response with a body, or the body of a response, which may be null. */
export type StreamInput<T = Uint8Array> = ReadableStream<T> | Response | null;

function isResponse(input: object): input is Response {
  return 'body' in input && 'status' in input;
}

/**
 * The stream in `input`.
 * @throws SourceError for a response with an error status or without a body, and for null
 * @throws ArgumentError for anything else, such as a URL or a promise that was not awaited
 */
export function bodyOf<T>(input: StreamInput<T>): ReadableStream<T> {
  if (input && !(typeof input === 'object' && isResponse(input))) {
    if (typeof input.getReader === 'function') return input;
    const expected = 'a ReadableStream or a Response, such as await fetch(url)';
    throw new ArgumentError('Cannot read from this argument', { expected, actual: input });
  }
  if (input?.ok === false) {
    const { status, url } = input;
    throw new SourceError(`Cannot read the response: the server sent status ${status}`, {
      name: url,
      status,
    });
  }
  // In some engines without streams, responses have no `body`.
  if (!input?.body) {
    const status = input?.status;
    const known = status === undefined ? '' : ` (status ${status})`;
    throw new SourceError(`Cannot read the response: it has no body${known}`, { status });
  }
  return input.body as ReadableStream<unknown> as ReadableStream<T>;
}
