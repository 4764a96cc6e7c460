import { loadKernels } from '../kernels/loadKernels.js';
import { NOTHING, type Stage } from '../stage.js';
import type { HoloLimits } from './constants.js';
import type { ReceivedFragment, StoredFragment } from './fragment.js';
import { HoloTensorParser } from './parser.js';
import { FragmentUnpacker, type UnpackOptions } from './unpack.js';

/** A file's bytes, cut anywhere, in; its fragments out, verified and decompressed. */
export class FragmentReceiver implements Stage<Uint8Array, ReceivedFragment> {
  readonly #parser: HoloTensorParser;
  readonly #unpacker: FragmentUnpacker;

  constructor(unpacker: FragmentUnpacker, limits?: HoloLimits) {
    this.#parser = new HoloTensorParser(limits);
    this.#unpacker = unpacker;
  }

  push(chunk: Uint8Array): Iterable<ReceivedFragment> | AsyncIterable<ReceivedFragment> {
    return this.#unpack(this.#parser.push(chunk));
  }

  flush(): Iterable<ReceivedFragment> | AsyncIterable<ReceivedFragment> {
    return this.#unpack(this.#parser.flush());
  }

  /** Most small chunks complete no fragment: those must not cost a turn of the queue. */
  #unpack(parts: Iterable<StoredFragment>): Iterable<ReceivedFragment> | AsyncIterable<ReceivedFragment> {
    const rest = parts[Symbol.iterator]();
    const { done, value } = rest.next();
    return done === true ? NOTHING : this.#unpackAll(value, rest);
  }

  async *#unpackAll(first: StoredFragment, rest: Iterator<StoredFragment>): AsyncIterable<ReceivedFragment> {
    for (
      let next: IteratorResult<StoredFragment> = { value: first };
      next.done !== true;
      next = rest.next()
    ) {
      yield await this.#unpacker.unpack(next.value);
    }
  }
}

/** A {@link FragmentReceiver} with the kernels that this engine offers. */
export async function createFragmentReceiver(options: UnpackOptions = {}): Promise<FragmentReceiver> {
  return new FragmentReceiver(new FragmentUnpacker(await loadKernels(['xxh3']), options), options);
}
