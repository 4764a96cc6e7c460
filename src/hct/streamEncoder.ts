import type { Stage } from '../stage.js';
import { HctBlockEncoder, type HctEncodeOptions } from './encoder.js';
import { loadHctWriteTools } from './tools.js';

/**
 * A tensor's bytes in, a file's bytes out, for a consumer that cannot seek: the index stands in front of the blocks
 * and is known after the last one, so the compressed blocks wait in memory. `HctWriter` needs no such memory.
 */
export class HctStreamEncoder implements Stage<Uint8Array, Uint8Array> {
  readonly #encoder: HctBlockEncoder;
  readonly #blocks: Uint8Array[] = [];

  private constructor(encoder: HctBlockEncoder) {
    this.#encoder = encoder;
  }

  /** @throws ArgumentError, UnsupportedError, LimitError when no such file can be written */
  static async create(options: HctEncodeOptions): Promise<HctStreamEncoder> {
    const tools = await loadHctWriteTools(options.algorithm ?? 'lz4', options);
    return new HctStreamEncoder(new HctBlockEncoder(options, tools));
  }

  push(chunk: Uint8Array): Iterable<Uint8Array> {
    for (const block of this.#encoder.push(chunk)) this.#blocks.push(block);
    return [];
  }

  *flush(): Iterable<Uint8Array> {
    const { head, tail } = this.#encoder.finish();
    yield head;
    yield* this.#blocks;
    if (tail.length > 0) yield tail;
  }
}
