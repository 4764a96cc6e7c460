import { allocating } from '../checks/limits.js';
import type { BlockDecoder } from '../codecs/codec.js';
import { loadDecoder } from '../codecs/loadDecoder.js';
import { FormatError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Stage, SyncStage } from '../stage.js';
import { decompressBlock, verifyBlock } from './decodeBlock.js';
import type { HctDecodedPart, HctPart, HctStart } from './parts.js';
import type { ImplementationOptions } from './tools.js';

/** Passes the parts on, and checks every block that has a checksum before it is decoded. */
export class HctVerifier implements SyncStage<HctPart, HctPart> {
  readonly #kernels: Pick<Kernels, 'xxh3'>;

  constructor(kernels: Pick<Kernels, 'xxh3'>) {
    this.#kernels = kernels;
  }

  /** @throws ChecksumError */
  *push(part: HctPart): Iterable<HctPart> {
    if (part.kind === 'block') verifyBlock(part, this.#kernels);
    yield part;
  }

  flush(): Iterable<HctPart> {
    return [];
  }
}

/** Parts in, parts with decompressed blocks out. Each block gets a fresh array. */
export class HctDecompressor implements Stage<HctPart, HctDecodedPart> {
  readonly #options: ImplementationOptions;
  #codec: BlockDecoder | undefined;

  constructor(options: ImplementationOptions = {}) {
    this.#options = options;
  }

  /** @throws CodecError for a block that cannot be decoded */
  push(part: HctPart): Iterable<HctDecodedPart> | AsyncIterable<HctDecodedPart> {
    return part.kind === 'start' ? this.#start(part) : this.#decode(part);
  }

  flush(): Iterable<HctDecodedPart> {
    return [];
  }

  async *#start(part: HctStart): AsyncIterable<HctDecodedPart> {
    const { algorithm, blockSize } = part.header;
    this.#codec = await loadDecoder(algorithm, { ...this.#options, largestBlock: blockSize });
    yield part;
  }

  *#decode(part: HctPart): Iterable<HctDecodedPart> {
    if (part.kind !== 'block') {
      yield part;
      return;
    }
    if (this.#codec === undefined)
      throw new FormatError('Cannot decode the HCT block: it comes before the header');
    const bytes = allocating(() => new Uint8Array(part.byteLength));
    decompressBlock(part, this.#codec, bytes);
    yield { kind: 'data', blockIndex: part.blockIndex, byteOffset: part.byteOffset, bytes };
  }
}
