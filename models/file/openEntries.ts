import type { RandomAccessSource } from '../../src/source.js';
import type { EntryReader, StagingStore } from './stagingStore.js';

/** Fewer than any system lets a process have open. */
const MOST_OPEN = 128;

/**
 * The entries of a staging store whose pieces are read by turns: as many as may be open stay open, because opening a file takes
 * longer than reading a piece of it.
 */
export class OpenEntries implements EntryReader {
  readonly #staging: StagingStore;
  readonly #open = new Map<string, Promise<RandomAccessSource | undefined>>();

  constructor(staging: StagingStore) {
    this.#staging = staging;
  }

  /** Where an entry stays open, `close` of what this gives is missing: {@link close} of this closes all. */
  async open(name: string): Promise<Pick<RandomAccessSource, 'read' | 'close'> | undefined> {
    if (!this.#open.has(name) && this.#open.size === MOST_OPEN) return this.#staging.open(name);
    const opening = this.#open.get(name) ?? this.#staging.open(name);
    this.#open.set(name, opening);
    const source = await opening;
    return source && { read: (...args) => source.read(...args) };
  }

  async close(): Promise<void> {
    const sources = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    for (const source of sources) if (source.status === 'fulfilled') await source.value?.close?.();
  }
}
