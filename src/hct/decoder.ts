import type { BytesLike } from '../bytes/binary.js';
import { allocating } from '../limits.js';
import { NOTHING, type Stage, type SyncStage } from '../stage.js';
import { type DecodeBlock, type HctDecodeOptions, loadBlockDecoder } from './decodeBlock.js';
import { HctParser } from './parser.js';
import type { HctPart } from './parts.js';

/** Makes outputs from the parts, once the codec has been loaded. */
export type HctPartHandler<O> = (part: HctPart, decode: DecodeBlock) => Iterable<O>;

/**
 * The bytes of a whole file in, the outputs of a handler of its parts out: parsing, verification and handler in one
 * stage, without queues between them. It waits once, at the header, for the codec; then it works synchronously.
 */
export class HctDecoder<O> implements Stage<BytesLike, O> {
  readonly #options: HctDecodeOptions;
  readonly #handle: HctPartHandler<O>;
  readonly #parser: SyncStage<BytesLike, HctPart>;
  #decode: DecodeBlock | undefined;

  constructor(handle: HctPartHandler<O>, options: HctDecodeOptions = {}) {
    this.#options = options;
    this.#handle = handle;
    this.#parser = new HctParser(options);
  }

  push(chunk: BytesLike): Iterable<O> | AsyncIterable<O> {
    return this.#take(this.#parser.push(chunk));
  }

  flush(): Iterable<O> | AsyncIterable<O> {
    return this.#take(this.#parser.flush());
  }

  #take(parts: Iterable<HctPart>): Iterable<O> | AsyncIterable<O> {
    if (parts === NOTHING) return NOTHING;
    return this.#decode === undefined ? this.#begin(parts) : this.#continue(parts, this.#decode);
  }

  async *#begin(parts: Iterable<HctPart>): AsyncIterable<O> {
    for (const part of parts) {
      if (part.kind === 'start') this.#decode = await loadBlockDecoder(part.header, this.#options);
      yield* this.#handle(part, this.#decode!);
    }
  }

  *#continue(parts: Iterable<HctPart>, decode: DecodeBlock): Iterable<O> {
    for (const part of parts) yield* this.#handle(part, decode);
  }
}

/** Gives the tensor's bytes, a fresh array per block. */
export function* decodedBytes(part: HctPart, decode: DecodeBlock): Iterable<Uint8Array> {
  if (part.kind !== 'block') return;
  const bytes = allocating(() => new Uint8Array(part.byteLength));
  decode(part, bytes);
  yield bytes;
}
