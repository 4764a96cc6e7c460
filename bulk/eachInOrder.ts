import { onAbort } from '../platform/abort.js';
import { Queue } from '../src/async/queue.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';

export interface ReadAheadOptions extends AbortOptions {
  /** Bytes that are read before it is their turn: at least one item, however large. */
  readonly most: number;
}

/** So many requests at a time. */
const MAX_READS = 16;

/** The bytes of all items in order, while those that follow are read: many small ones, or one large one. */
export async function* eachInOrder<T extends { readonly size: number }>(
  items: readonly T[],
  read: (item: T, signal: AbortSignal) => Promise<Uint8Array>,
  { most, signal }: ReadAheadOptions,
): AsyncGenerator<Uint8Array> {
  const ended = new AbortController();
  const release = signal && onAbort(signal, (reason) => ended.abort(reason));
  const underWay = new Queue<{ readonly size: number; readonly bytes: Promise<Uint8Array> }>();
  let ahead = 0;
  let next = 0;
  try {
    while (next < items.length || underWay.size > 0) {
      for (let item = items[next]; item !== undefined; item = items[next]) {
        const hasRoom = underWay.size < MAX_READS && ahead + item.size <= most;
        if (!hasRoom && underWay.size > 0) break;
        const bytes = read(item, ended.signal);
        // It may fail before its turn to be awaited.
        bytes.catch(() => {});
        underWay.add({ size: item.size, bytes });
        ahead += item.size;
        next++;
      }
      const { size, bytes } = underWay.take()!;
      yield await bytes;
      ahead -= size;
    }
  } finally {
    release?.();
    ended.abort();
    await Promise.allSettled(underWay.takeAll().map(({ bytes }) => bytes));
  }
}
