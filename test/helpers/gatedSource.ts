import { bytesSource } from '../../sources/bytes.js';
import type { ByteRangeOptions, RandomAccessSource } from '../../src/source.js';

/** A source that has all of its bytes only once it is told so. */
export interface GatedSource extends RandomAccessSource {
  /** Lets the rest through. */
  open(): void;
}

/** A source that keeps back what is behind a position: whoever reads it sees a state between, however busy the machine is. */
export function gatedSource(bytes: Uint8Array, position: number): GatedSource {
  const inner = bytesSource(bytes);
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    size: inner.size,
    open,
    async read(offset, length, options) {
      if (offset + length > position) await opened;
      return inner.read(offset, length, options);
    },
    stream({ start = 0, end = bytes.length }: ByteRangeOptions = {}) {
      let at = start;
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            if (at >= end) return controller.close();
            if (at >= position) await opened;
            const to = at < position ? Math.min(position, end) : end;
            controller.enqueue(bytes.slice(at, to));
            at = to;
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
}
