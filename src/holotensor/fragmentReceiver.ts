import type { BytesLike } from '../bytes/binary.js';
import type { LimitsOption } from '../checks/limits.js';
import { checkOptions } from '../checks/options.js';
import { loadKernels } from '../kernels/loadKernels.js';
import { NOTHING, type Outputs, type Stage, type StageFactory } from '../stage.js';
import type { ReceivedFragment, StoredFragment } from './fragment.js';
import { HoloTensorParser } from './parser.js';
import { FragmentUnpacker, UNPACK_RULES, type UnpackOptions } from './unpack.js';

/** A file's bytes, cut anywhere, in; its fragments out, verified and decompressed. */
export class FragmentReceiver implements Stage<BytesLike, ReceivedFragment> {
  readonly #parser: HoloTensorParser;
  readonly #unpacker: FragmentUnpacker;

  constructor(unpacker: FragmentUnpacker, options?: LimitsOption) {
    this.#parser = new HoloTensorParser(options);
    this.#unpacker = unpacker;
  }

  push(chunk: BytesLike): Outputs<ReceivedFragment> {
    return this.#unpack(this.#parser.push(chunk));
  }

  flush(): Outputs<ReceivedFragment> {
    return this.#unpack(this.#parser.flush());
  }

  #unpack(parts: Iterable<StoredFragment>): Outputs<ReceivedFragment> {
    return parts === NOTHING ? NOTHING : this.#unpackAll(parts);
  }

  async *#unpackAll(parts: Iterable<StoredFragment>): AsyncIterable<ReceivedFragment> {
    for (const part of parts) yield await this.#unpacker.unpack(part);
  }
}

/** A {@link FragmentReceiver} with the kernels that this engine offers. */
export function fragmentReceiverStage(
  options: UnpackOptions = {},
): StageFactory<BytesLike, ReceivedFragment> {
  checkOptions(options, UNPACK_RULES);
  return async () =>
    new FragmentReceiver(new FragmentUnpacker(await loadKernels(['xxh3']), options), options);
}
