import { ByteQueue } from '../bytes/byteQueue.js';
import { TruncatedError } from '../errors.js';
import type { SyncStage } from '../stage.js';
import { HOLO_HEADER_SIZE, type HoloLimits } from './constants.js';
import type { StoredFragment } from './fragment.js';
import { assertFragmentFits } from './fragmentIndex.js';
import { type HoloTensorHeader, parseHoloTensorHeader } from './header.js';
import { type HoloTensorLayout, layoutSize, parseHoloTensorLayout } from './layout.js';

/**
 * A file's bytes, cut anywhere, in; its fragments as stored out, each the moment its last byte is there. What stands
 * behind the last fragment is ignored, as the reference does.
 */
export class HoloTensorParser implements SyncStage<Uint8Array, StoredFragment> {
  readonly #limits: HoloLimits;
  readonly #queue = new ByteQueue();
  #header: HoloTensorHeader | undefined;
  #layout: HoloTensorLayout | undefined;
  /** Fragments given out so far. */
  #given = 0;

  constructor(limits: HoloLimits = {}) {
    this.#limits = limits;
  }

  *push(chunk: Uint8Array): Iterable<StoredFragment> {
    this.#queue.push(chunk);
    yield* this.#fragments(false);
  }

  /** @throws TruncatedError when the file is not complete */
  *flush(): Iterable<StoredFragment> {
    yield* this.#fragments(true);
    if (this.#layout === undefined || this.#given < this.#layout.entries.length) {
      throw new TruncatedError(`HoloTensor file ends within its ${this.#expecting()}`, {
        offset: this.#queue.position + this.#queue.length,
      });
    }
  }

  *#fragments(ended: boolean): Iterable<StoredFragment> {
    this.#layout ??= this.#parseLayout(ended);
    if (this.#layout === undefined) return;
    const { header, entries } = this.#layout;
    while (this.#given < entries.length) {
      const entry = entries[this.#given]!;
      const stored = this.#queue.take(entry.compressedSize);
      if (stored === undefined) return;
      this.#given += 1;
      yield { header, entry, stored };
    }
    this.#queue.skip(this.#queue.length);
  }

  #parseLayout(ended: boolean): HoloTensorLayout | undefined {
    this.#header ??= this.#parseHeader();
    if (this.#header === undefined) return undefined;
    const size = layoutSize(this.#header);
    if (this.#queue.length < size && !ended) return undefined;
    // Without metadata the index is shorter, and what follows belongs to the first fragment: look before taking.
    const layout = parseHoloTensorLayout(this.#header, this.#queue.peek(size));
    for (const { index, compressedSize } of layout.entries) {
      assertFragmentFits(index, compressedSize, this.#limits);
    }
    this.#queue.skip(layout.dataStart - HOLO_HEADER_SIZE);
    return layout;
  }

  #parseHeader(): HoloTensorHeader | undefined {
    const bytes = this.#queue.take(HOLO_HEADER_SIZE);
    return bytes && parseHoloTensorHeader(bytes);
  }

  #expecting(): string {
    if (this.#header === undefined) return 'header';
    return this.#layout === undefined ? 'index' : `fragment ${this.#layout.entries[this.#given]!.index}`;
  }
}
