import { asBytes, type OwnBytes } from '../src/bytes/binary.js';
import { allocating } from '../src/checks/limits.js';
import { check, checkOptions, number, type Rules, wholeNumber } from '../src/checks/options.js';
import { ArgumentError, LimitError } from '../src/errors.js';
import type { SeekableSink } from '../src/source.js';

/** Default cap: what one typed array may hold in every engine that we support. */
const MEMORY_SINK_MAX_SIZE = 2 ** 31 - 1;

/** First allocation; from there on the buffer doubles, so that each byte is copied about once on average. */
const INITIAL_CAPACITY = 65536;

export interface MemorySink extends SeekableSink {
  /** What has been written, up to the last byte; places never written are 0. Valid until the next write. */
  readonly bytes: OwnBytes;
}

/** What {@link memorySink} may hold. */
export interface MemorySinkOptions {
  /** Largest size in bytes. Default {@link MEMORY_SINK_MAX_SIZE}. */
  readonly maxSize?: number | undefined;
}

const RULES: Rules<MemorySinkOptions> = { maxSize: /* @__PURE__ */ number() };

/**
 * Collects bytes in memory, written in any order.
 * @throws LimitError from the write that would go beyond `maxSize`
 */
export function memorySink(options: MemorySinkOptions = {}): MemorySink {
  const { maxSize = MEMORY_SINK_MAX_SIZE } = checkOptions(options, RULES);
  let buffer = new Uint8Array(0);
  let length = 0;
  let state: 'open' | 'closed' | 'aborted' = 'open';
  return {
    get bytes() {
      return buffer.subarray(0, length);
    },
    async write(input, position) {
      const bytes = asBytes(input);
      if (state !== 'open') throw new ArgumentError(`Cannot write to the memory sink: it is ${state}`);
      check('position', position, wholeNumber());
      const end = position + bytes.length;
      if (end > maxSize)
        throw new LimitError('Cannot write to the memory sink', {
          expected: `at most ${maxSize} bytes`,
          actual: end,
        });
      if (end > buffer.length) {
        const size = Math.min(maxSize, Math.max(end, 2 * buffer.length, INITIAL_CAPACITY));
        const grown = allocating(() => new Uint8Array(size));
        grown.set(buffer.subarray(0, length));
        buffer = grown;
      }
      buffer.set(bytes, position);
      length = Math.max(length, end);
    },
    async close() {
      if (state === 'open') state = 'closed';
    },
    async abort() {
      state = 'aborted';
      buffer = new Uint8Array(0);
      length = 0;
    },
  };
}
