import type { BlockDecoder } from '../codecs/codec.js';
import type { Stage, SyncStage } from '../stage.js';
import type { HctLimits } from './constants.js';
import { decompressBlock } from './decompressor.js';
import { HctParser } from './parser.js';
import type { HctPart } from './parts.js';
import { type HctTools, type ImplementationOptions, loadHctReadTools } from './tools.js';
import { verifyBlock } from './verifier.js';

export interface HctDecodeOptions extends HctLimits, ImplementationOptions {
  /** Check the blocks' checksums where the file has them. Default true. */
  readonly verify?: boolean | undefined;
}

/** What becomes of the parts once the codec is there. */
export type HctPartHandler<O> = (part: HctPart, codec: BlockDecoder) => Iterable<O>;

/**
 * A whole file's bytes in, something made of its parts out: parsing, verification and a handler in one stage, without
 * queues between them. It waits once, at the header, for the codec; after that it works synchronously.
 */
export class HctDecoder<O> implements Stage<Uint8Array, O> {
  readonly #options: HctDecodeOptions;
  readonly #handle: HctPartHandler<O>;
  readonly #parser: SyncStage<Uint8Array, HctPart>;
  #tools: HctTools | undefined;

  constructor(handle: HctPartHandler<O>, options: HctDecodeOptions = {}) {
    this.#options = options;
    this.#handle = handle;
    this.#parser = new HctParser(options);
  }

  push(chunk: Uint8Array): Iterable<O> | AsyncIterable<O> {
    const parts = this.#parser.push(chunk);
    return this.#tools === undefined ? this.#begin(parts) : this.#continue(parts, this.#tools);
  }

  flush(): Iterable<O> | AsyncIterable<O> {
    const parts = this.#parser.flush();
    return this.#tools === undefined ? this.#begin(parts) : this.#continue(parts, this.#tools);
  }

  async *#begin(parts: Iterable<HctPart>): AsyncIterable<O> {
    for (const part of parts) {
      if (part.kind === 'start') this.#tools = await loadHctReadTools(part.header.algorithm, this.#options);
      yield* this.#continue([part], this.#tools!);
    }
  }

  *#continue(parts: Iterable<HctPart>, { codec, kernels }: HctTools): Iterable<O> {
    for (const part of parts) {
      if (part.kind === 'block' && this.#options.verify !== false) verifyBlock(part, kernels);
      yield* this.#handle(part, codec);
    }
  }
}

/** Gives the tensor's bytes, a fresh array a block. */
export function* decodedBytes(part: HctPart, codec: BlockDecoder): Iterable<Uint8Array> {
  if (part.kind !== 'block') return;
  const bytes = new Uint8Array(part.byteLength);
  decompressBlock(part, codec, bytes);
  yield bytes;
}
