import { type MemorySink, memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import type { StagingStore } from './stagingStore.js';

/** Keeps encoded tensors in memory: for models that fit it, and where there is no disk. */
export function memoryStagingStore(): StagingStore {
  const entries = new Map<string, MemorySink>();
  return {
    async open(name) {
      const entry = entries.get(name);
      return entry === undefined ? undefined : bytesSource(entry.bytes);
    },
    async create(name) {
      const sink = memorySink();
      return {
        write: sink.write,
        abort: sink.abort,
        async close() {
          await sink.close();
          entries.set(name, sink);
        },
      };
    },
  };
}
