import { onAbort, untilAborted, withOwnSignal } from '../../platform/abort.js';
import { pullStream } from '../../sources/pullStream.js';
import { randomAccessSource } from '../../sources/randomAccess.js';
import { beyondEnd, CHUNK_SIZE, checkRange, checkRead } from '../../sources/ranges.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { allocating, type Limits, type OpenOptions } from '../../src/checks/limits.js';
import { checkOptions, type Rules, text } from '../../src/checks/options.js';
import { OPEN_RULES } from '../../src/checks/rules.js';
import { ArgumentError, UnsupportedError } from '../../src/errors.js';
import { QUALITY } from '../../src/holotensor/quality.js';
import type { ByteRangeOptions, RandomAccessSource } from '../../src/source.js';
import { sourceFileHeader, sourceFileTensors } from '../file/sourceFiles.js';
import type { ModelContent, OriginalFile } from '../inputs/content.js';
import type { TensorState } from '../tensorState.js';
import { choosePieces } from './choosePieces.js';
import { FileTensors, type Part, type PlacedBytes } from './fileTensors.js';
import { type PlainResponseOptions, plainResponse } from './response.js';

/** Which file of a model {@link Model.file} gives, and how good it is. */
export interface PlainFileOptions extends OpenOptions {
  /** Which file, by its name when the model was made. Default: the only one. */
  readonly name?: string | undefined;
  /**
   * Cosine similarity of the whole model (see {@link Model.quality}), which decides how much of it is fetched. 1: all, and
   * the same bytes as those of the original if its encoding is lossless. 'loaded': every tensor as it is loaded when it is
   * read, zeros where it is not; nothing is fetched. Default 1.
   */
  readonly quality?: number | 'loaded' | undefined;
}

const RULES: Rules<PlainFileOptions> = {
  ...OPEN_RULES,
  name: text,
  quality: (quality) => quality !== 'loaded' && QUALITY(quality) && "a number from 0 to 1, or 'loaded'",
};

/**
 * The file that a model was made of, or is, at a quality: its header, then its tensors in their places and dtypes. It is not
 * stored: what is read is decoded from the model, one tensor at a time; of plain files, the bytes that are asked for are read.
 * Created by `Model.file`.
 */
export class PlainFile implements RandomAccessSource {
  readonly name: string;
  readonly size: number;
  /**
   * True cosine similarity of the whole model: at least what was asked for, unless the model file ends early. Undefined for
   * 'loaded'.
   */
  readonly quality: number | undefined;
  readonly #tag: string | undefined;
  readonly #header: Uint8Array;
  readonly #tensors: FileTensors;
  /** Aborts when the model is closed. */
  readonly #closed: AbortSignal;

  constructor(
    file: OriginalFile,
    content: ModelContent,
    states: ReadonlyMap<string, TensorState>,
    { quality = 1, limits }: PlainFileOptions,
    version: string | undefined,
    closed: AbortSignal,
  ) {
    const loaded = quality === 'loaded';
    const chosen = choosePieces(content.tensors, { quality: loaded ? 1 : quality });
    const byName = new Map(chosen.tensors.map((one) => [one.tensor.name, one]));
    this.name = file.name;
    this.quality = loaded ? undefined : chosen.quality;
    this.#tag = loaded || version === undefined ? undefined : `${version}-${quality}`;
    this.#header = sourceFileHeader(file);
    const parts = sourceFileTensors(file, { limits }).map(({ name, offset, byteLength }) => ({
      ...{ offset, byteLength },
      chosen: byName.get(name)!,
    }));
    const last = parts.at(-1);
    this.size = last === undefined ? this.#header.length : last.offset + last.byteLength;
    this.#tensors = new FileTensors(parts, chosen, states, { quality: this.quality, limits });
    this.#closed = closed;
  }

  /** The bytes, or a range of them. A stream of most of the file fetches the pieces of all tensors by one request, up to 64 MiB. */
  stream(options: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    const { start, end = Math.max(start, this.size) } = checkRange(options);
    const source = this.#range(start, end);
    const stop = new AbortController();
    let position = start;
    return pullStream(
      {
        next: async () => {
          if (end > this.size) throw beyondEnd(end, this.size, this.name);
          const length = Math.min(CHUNK_SIZE, end - position);
          if (length === 0) return undefined;
          const chunk = await source.read(position, length, { signal: stop.signal });
          position += length;
          return chunk;
        },
        close: (reason) => stop.abort(reason),
      },
      [options.signal, this.#closed],
    );
  }

  async read(offset: number, length: number, options: AbortOptions = {}): Promise<Uint8Array> {
    checkRead(offset, length, options);
    const source = this.#range(offset, offset + length);
    return untilClosed(this.#closed, options.signal, (signal) => source.read(offset, length, { signal }));
  }

  /** Changes when the bytes change; undefined for 'loaded', and where nothing says when a plain file changes. */
  async version(): Promise<string | undefined> {
    return this.#tag;
  }

  /**
   * The file, or a range of it, as a server responds: status 200, 206, or 416 for a range that it does not have. `ETag` is
   * that of this quality, if there is a version; below quality 1, `Cache-Control` is `no-store`, so that no cache takes the bytes for the original.
   */
  response(options: PlainResponseOptions = {}): Response {
    return plainResponse(this, this.#tag, options);
  }

  /** A source for reads within a range. */
  #range(start: number, end: number): RandomAccessSource {
    const read = this.#tensors.reader(start, end);
    return randomAccessSource(
      this.size,
      (offset, length, options) => this.#readRange(offset, length, (part) => read(part, options)),
      this.name,
    );
  }

  async #readRange(
    offset: number,
    length: number,
    read: (part: Part) => Promise<PlacedBytes>,
  ): Promise<Uint8Array> {
    const out = allocating(() => new Uint8Array(length));
    const copy = (bytes: Uint8Array, at: number) => {
      const from = Math.max(offset, at);
      const to = Math.min(offset + length, at + bytes.length);
      if (from < to) out.set(bytes.subarray(from - at, to - at), from - offset);
    };
    copy(this.#header, 0);
    for (const part of this.#tensors.within(offset, offset + length)) {
      const placed = await read(part);
      copy(placed.bytes, placed.offset);
    }
    return out;
  }
}

/** Runs work with a signal that aborts when this one does, and when the model is closed. */
function untilClosed<T>(
  closed: AbortSignal,
  signal: AbortSignal | undefined,
  work: (own: AbortSignal) => Promise<T>,
): Promise<T> {
  return withOwnSignal(closed, async (own, abort) => {
    signal?.throwIfAborted();
    const remove = signal && onAbort(signal, abort);
    try {
      own.throwIfAborted();
      return await work(own);
    } finally {
      remove?.();
    }
  });
}

/**
 * @param content of the model
 * @param states what is loaded of its tensors
 * @param limits of the model: those of the options count before them
 * @param closed aborts when the model is closed, and ends what is read
 * @throws UnsupportedError for a model without plain files; ArgumentError for a name that none of them has; what asking for the
 *   version of a file throws; the reason of the signal
 */
export async function openPlainFile(
  content: ModelContent,
  states: ReadonlyMap<string, TensorState>,
  options: PlainFileOptions,
  limits: Limits | undefined,
  closed: AbortSignal,
): Promise<PlainFile> {
  const { name, signal } = checkOptions(options, RULES);
  const { files } = content;
  if (files === undefined) {
    throw new UnsupportedError(
      'Cannot give the file of the model: this format has no plain one, or it is verified by a SHA-256 as a whole',
      { actual: content.format },
    );
  }
  const [only, ...others] = files;
  const file = name === undefined && others.length === 0 ? only : files.find((one) => one.name === name);
  if (file === undefined) {
    throw new ArgumentError(
      'Cannot find the file: the model was made of no file of this name (option name)',
      {
        expected: files.map((one) => one.name),
        actual: name,
      },
    );
  }
  const chosen = { ...options, limits: { ...limits, ...options.limits } };
  // A source of the caller's may hear no signal.
  const version = await untilClosed(closed, signal, (own) =>
    untilAborted(file.version({ signal: own }), own),
  );
  return new PlainFile(file, content, states, chosen, version, closed);
}
