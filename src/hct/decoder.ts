import { nextTurn } from '../async/steps.js';
import type { BytesLike } from '../bytes/binary.js';
import { ByteQueue } from '../bytes/byteQueue.js';
import { GrammarStage } from '../bytes/grammar.js';
import { allocating, limitsOf } from '../checks/limits.js';
import { NOTHING, type Stage, type SyncStage } from '../stage.js';
import { type DecodeBlock, type HctDecodeOptions, loadBlockDecoder } from './decodeBlock.js';
import { parseHctFile } from './parser.js';
import type { HctPart } from './parts.js';

/** Bytes of a chunk that take some 20 ms at most, even if they become a thousand times as many. */
const SMALL_CHUNK = 2 ** 16;

/** Makes outputs from the parts, once the codec has been loaded. */
export type HctPartHandler<O> = (part: HctPart, decode: DecodeBlock) => Iterable<O>;

/**
 * The bytes of a whole file in, the outputs of a handler of its parts out: parsing, verification and handler in one
 * stage, without queues between them. It waits at the header, for the codec, and within chunks that are not small, for other tasks; else
 * it works synchronously.
 */
export class HctDecoder<O> implements Stage<BytesLike, O> {
  readonly #options: HctDecodeOptions;
  readonly #handle: HctPartHandler<O>;
  readonly #parser: SyncStage<BytesLike, HctPart>;
  #decode: DecodeBlock | undefined;

  constructor(handle: HctPartHandler<O>, options: HctDecodeOptions = {}) {
    this.#options = options;
    this.#handle = handle;
    const limits = limitsOf(options);
    // Each block is decoded before the next part is parsed.
    this.#parser = new GrammarStage('HCT', (queue) => parseHctFile(queue, limits), new ByteQueue(true));
  }

  push(chunk: BytesLike): Iterable<O> | AsyncIterable<O> {
    return this.#take(this.#parser.push(chunk), chunk.byteLength <= SMALL_CHUNK);
  }

  flush(): Iterable<O> | AsyncIterable<O> {
    return this.#take(this.#parser.flush(), true);
  }

  #take(parts: Iterable<HctPart>, isSmall: boolean): Iterable<O> | AsyncIterable<O> {
    if (parts === NOTHING) return NOTHING;
    const decode = this.#decode;
    return decode === undefined || !isSmall ? this.#takeInTurns(parts) : this.#takeAll(parts, decode);
  }

  async *#takeInTurns(parts: Iterable<HctPart>): AsyncIterable<O> {
    for (const part of parts) {
      if (part.kind === 'start') this.#decode = await loadBlockDecoder(part.header, this.#options);
      // Not `yield*`: it would cost promises for each part.
      for (const output of this.#handle(part, this.#decode!)) yield output;
      const turn = nextTurn();
      if (turn !== undefined) await turn;
    }
  }

  *#takeAll(parts: Iterable<HctPart>, decode: DecodeBlock): Iterable<O> {
    for (const part of parts) {
      const outputs = this.#handle(part, decode);
      // Delegating takes time also where there is nothing.
      if (outputs !== NOTHING) yield* outputs;
    }
  }
}

/** Gives the tensor's bytes, a fresh array per block. */
export function* decodedBytes(part: HctPart, decode: DecodeBlock): Iterable<Uint8Array> {
  if (part.kind !== 'block') return;
  const bytes = allocating(() => new Uint8Array(part.byteLength));
  decode(part, bytes);
  yield bytes;
}
