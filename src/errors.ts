import { show, withoutSecrets } from './errors/show.js';

/**
 * Every error that holostream throws on purpose is a {@link HolostreamError}: one sentence for people in
 * `message`, and the same facts as fields for programs.
 */

/** The fields of an error beside its sentence. Each is set only where it applies. */
export interface ErrorDetails {
  /** Byte offset in the file, block or header named by `what`. */
  readonly offset?: number | undefined;
  /** Number of the HCT block, counted from 0. */
  readonly blockIndex?: number | undefined;
  /** Number of the HoloTensor fragment, counted from 0. */
  readonly fragmentIndex?: number | undefined;
  /** Path or URL of the file that the error is about. Errors keep no query and no user name of a URL: there may be secrets in them. */
  readonly file?: string | undefined;
  /** Name of the tensor. */
  readonly tensor?: string | undefined;
  /** Name of anything else that the error is about. */
  readonly name?: string | undefined;
  readonly expected?: unknown;
  readonly actual?: unknown;
  readonly cause?: unknown;
}

/** What every error that holostream throws on purpose is an instance of. */
export class HolostreamError extends Error {
  /** Name of the class, even if a minifier has renamed it. */
  override name = 'HolostreamError';
  /** The sentence without place and figures: "Cannot read the HCT header: wrong block size". */
  declare readonly what: string;
  declare readonly offset: number | undefined;
  declare readonly blockIndex: number | undefined;
  declare readonly fragmentIndex: number | undefined;
  /** Path or URL of the file, where it is known. Of a URL, a query is `?…`: there may be a token or a signature in it. */
  declare readonly file: string | undefined;
  /** Name of the tensor. */
  declare readonly tensor: string | undefined;
  declare readonly expected: unknown;
  declare readonly actual: unknown;
  /** The place of the fault in words: "model.holo.safetensors, tensor fc1.weight, fragment 3". Empty when unknown. */
  declare readonly where: string;

  constructor(what: string, details: ErrorDetails = {}) {
    const where = describePlace(details);
    super(describe(what, where, details), 'cause' in details ? { cause: details.cause } : undefined);
    this.what = what;
    this.where = where;
    this.offset = details.offset;
    this.blockIndex = details.blockIndex;
    this.fragmentIndex = details.fragmentIndex;
    this.file = details.file && withoutSecrets(details.file);
    this.tensor = details.tensor;
    this.expected = presentable(details.expected);
    this.actual = presentable(details.actual);
  }
}

/** Logs print the fields of errors, too. */
function presentable(value: unknown): unknown {
  return typeof value === 'string' ? withoutSecrets(value) : value;
}

/** The bytes break the rules of their format. */
export class FormatError extends HolostreamError {
  override name = 'FormatError';
}

/** The bytes end too early for their format. */
export class TruncatedError extends FormatError {
  override name = 'TruncatedError';
}

/** The bytes do not match a stored checksum. `expected` and `actual` are bigints. */
export class ChecksumError extends FormatError {
  override name = 'ChecksumError';
}

/** A compressed block cannot be decoded. */
export class CodecError extends FormatError {
  override name = 'CodecError';
}

/** Something is larger than a cap. Where the message names an option, it raises the cap. */
export class LimitError extends HolostreamError {
  override name = 'LimitError';
}

/** Valid, but not supported by this format, build or platform. */
export class UnsupportedError extends HolostreamError {
  override name = 'UnsupportedError';
}

/** The caller passed an argument that cannot work. */
export class ArgumentError extends HolostreamError {
  override name = 'ArgumentError';
}

export interface SourceErrorDetails extends ErrorDetails {
  /** HTTP status of the response. */
  readonly status?: number | undefined;
  /** The same request may succeed later: a broken connection, a busy server. Default false. */
  readonly retryable?: boolean | undefined;
  /** How long to wait before the next request, as asked by the server, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** A source of bytes failed: a file that cannot be read, a server that responds with an error. */
export class SourceError extends HolostreamError {
  override name = 'SourceError';
  declare readonly status: number | undefined;
  declare readonly retryable: boolean;
  declare readonly retryAfter: number | undefined;

  constructor(what: string, details: SourceErrorDetails = {}) {
    super(what, details);
    this.status = details.status;
    this.retryable = details.retryable ?? false;
    this.retryAfter = details.retryAfter;
  }
}

/** The file of a source has changed since reading began: discard what has been read. */
export class SourceChangedError extends SourceError {
  override name = 'SourceChangedError';
}

/** A sink of bytes failed: a full disk, a folder without permission to write. */
export class SinkError extends HolostreamError {
  override name = 'SinkError';
}

/** A worker thread did not start, or died. Errors that a task throws arrive unchanged. */
export class WorkerError extends HolostreamError {
  override name = 'WorkerError';
}

function describePlace({ file, name, tensor, blockIndex, fragmentIndex, offset }: ErrorDetails): string {
  const parts: string[] = [];
  if (file !== undefined) parts.push(show(file));
  if (tensor !== undefined) parts.push(`tensor ${show(tensor)}`);
  if (name !== undefined) parts.push(show(name));
  if (blockIndex !== undefined) parts.push(`block ${blockIndex}`);
  if (fragmentIndex !== undefined) parts.push(`fragment ${fragmentIndex}`);
  if (offset !== undefined) parts.push(`byte ${offset}`);
  return parts.join(', ');
}

function describe(what: string, where: string, { expected, actual }: ErrorDetails): string {
  let text = where === '' ? what : `${what} (${where})`;
  if (expected !== undefined) text += `: expected ${show(expected)}`;
  if (actual !== undefined) text += `${expected === undefined ? ': ' : ', '}got ${show(actual)}`;
  return text;
}
