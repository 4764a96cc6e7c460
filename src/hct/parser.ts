import { ByteQueue } from '../bytes/byteQueue.js';
import { TruncatedError } from '../errors.js';
import { NOTHING, type SyncStage } from '../stage.js';
import {
  parseQuantizationMetadata,
  QUANTIZATION_METADATA_SIZE,
  type QuantizationMetadata,
} from '../tensor/quantization.js';
import {
  BLOCK_INDEX_SIZE,
  type BlockTable,
  declaredEntrySize,
  detectEntrySize,
  parseBlockTable,
} from './blockIndex.js';
import { FLAG_QUANTIZATION, HCT_HEADER_SIZE, type HctLimits } from './constants.js';
import {
  HCT_EXTENSION_CHECKSUM_SIZE,
  HCT_EXTENSION_PREFIX_SIZE,
  type HctExtension,
  parseHctExtensionBody,
  parseHctExtensionPrefix,
} from './extension.js';
import { blockLength, type HctHeader, parseHctHeader } from './header.js';
import type { HctEnd, HctPart } from './parts.js';
import { groupScalesSize, hasExtension, trueShape } from './trailer.js';

/**
 * A file's bytes, cut anywhere, in; its parts out, each as soon as its last byte is there. One parser for both
 * versions. What stands behind the end is ignored, as the reference does.
 */
export class HctParser implements SyncStage<Uint8Array, HctPart> {
  readonly #limits: HctLimits;
  readonly #queue = new ByteQueue();
  /** Parses the next piece; undefined while its bytes are not all there, or when the piece is no part. */
  #next: ((ended: boolean) => HctPart | undefined) | undefined = () => this.#parseHeader();
  #expecting = 'header';
  /** With fewer bytes, there is nothing to parse. */
  #enough = 0;
  #header!: HctHeader;
  #quantization: QuantizationMetadata | undefined;
  #blocks!: BlockTable;
  #blockIndex = 0;
  #groupScales: Uint16Array | undefined;

  constructor(limits: HctLimits = {}) {
    this.#limits = limits;
  }

  push(chunk: Uint8Array): Iterable<HctPart> {
    this.#queue.push(chunk);
    return this.#queue.length < this.#enough ? NOTHING : this.#parts(false);
  }

  /** @throws TruncatedError when the file is not complete */
  *flush(): Iterable<HctPart> {
    yield* this.#parts(true);
    if (this.#next !== undefined) {
      const offset = this.#queue.position + this.#queue.length;
      throw new TruncatedError(`HCT file ends within its ${this.#expecting}`, { offset });
    }
  }

  *#parts(ended: boolean): Iterable<HctPart> {
    while (this.#next !== undefined) {
      const step = this.#next;
      const part = step(ended);
      if (part !== undefined) yield part;
      else if (this.#next === step) return;
    }
    this.#queue.skip(this.#queue.length);
  }

  #parseHeader(): undefined {
    const bytes = this.#queue.take(HCT_HEADER_SIZE);
    if (bytes === undefined) return;
    this.#header = parseHctHeader(bytes, this.#limits);
    this.#expecting = 'quantization metadata';
    this.#next = () => this.#parseQuantization();
  }

  #parseQuantization(): undefined {
    if (this.#header.version === 2 && (this.#header.flags & FLAG_QUANTIZATION) !== 0) {
      const bytes = this.#queue.take(QUANTIZATION_METADATA_SIZE);
      if (bytes === undefined) return;
      this.#quantization = parseQuantizationMetadata(bytes);
    }
    this.#expecting = 'block index';
    this.#next = (ended) => this.#parseIndex(ended);
  }

  #parseIndex(ended: boolean): HctPart | undefined {
    const { blockCount } = this.#header;
    let entrySize = blockCount === 0 ? BLOCK_INDEX_SIZE : declaredEntrySize(this.#header);
    if (entrySize === undefined) {
      // Eight bytes more than the short layout needs tell the two apart, unless the file ends before.
      const enough = BLOCK_INDEX_SIZE * blockCount + (ended ? 0 : 8);
      if (this.#queue.length < enough) return undefined;
      entrySize = detectEntrySize(this.#queue.peek(BLOCK_INDEX_SIZE * blockCount + 8), this.#header);
    }
    const bytes = this.#queue.take(entrySize * blockCount);
    if (bytes === undefined) return undefined;
    // The table lives as long as the file; a copy lets go of the chunk that the index came in.
    this.#blocks = parseBlockTable(bytes.slice(), this.#header, entrySize);
    this.#expecting = 'blocks';
    this.#next = () => this.#parseBlock();
    return { kind: 'start', header: this.#header, quantization: this.#quantization, blocks: this.#blocks };
  }

  #parseBlock(): HctPart | undefined {
    const header = this.#header;
    const blockIndex = this.#blockIndex;
    if (blockIndex === header.blockCount) {
      this.#expecting = 'scales';
      this.#next = (ended) => this.#parseGroupScales(ended);
      return undefined;
    }
    const { compressedSize, checksum } = this.#blocks.entry(blockIndex);
    const compressed = this.#queue.take(compressedSize);
    this.#enough = compressed === undefined ? compressedSize : 0;
    if (compressed === undefined) return undefined;
    this.#blockIndex += 1;
    const byteOffset = blockIndex * header.blockSize;
    return {
      kind: 'block',
      blockIndex,
      byteOffset,
      byteLength: blockLength(header, blockIndex),
      checksum,
      compressed,
    };
  }

  #parseGroupScales(ended: boolean): HctPart | undefined {
    const size = groupScalesSize(this.#header, this.#quantization);
    const absent = ended && this.#queue.length === 0 && !hasExtension(this.#header);
    if (size > 0 && !absent) {
      const bytes = this.#queue.take(size);
      if (bytes === undefined) return undefined;
      this.#groupScales = new Uint16Array(bytes.slice().buffer);
    }
    if (!hasExtension(this.#header)) return this.#finish(undefined);
    this.#expecting = 'extension section';
    this.#next = () => this.#parseExtensionPrefix();
    return undefined;
  }

  #parseExtensionPrefix(): undefined {
    const prefix = this.#queue.take(HCT_EXTENSION_PREFIX_SIZE);
    if (prefix === undefined) return;
    const size = parseHctExtensionPrefix(prefix) + HCT_EXTENSION_CHECKSUM_SIZE;
    this.#next = () => {
      const body = this.#queue.take(size);
      return body && this.#finish(parseHctExtensionBody(body));
    };
  }

  #finish(extension: HctExtension | undefined): HctEnd {
    this.#next = undefined;
    const shape = trueShape(this.#header, extension);
    return { kind: 'end', shape, name: extension?.name, groupScales: this.#groupScales };
  }
}
