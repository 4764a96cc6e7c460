import type { RandomAccessSource } from '../src/source.js';

const CHUNK_BYTES = 65_536;

/** What a socket of Linux holds at first of what its program has not read; the server waits beyond. */
const SOCKET_BYTES = 131_072;

/** A connection whose time is that of the processor: other programs that compute meanwhile take none of it. */
export interface PacedSource {
  readonly source: RandomAccessSource;
  /** Milliseconds since it was made: those that this process has computed, and those in which it waited for bytes. */
  now(): number;
}

/** The bytes of a file, which arrive at this rate, in bytes per second. */
export function pacedSource(file: Uint8Array, rate: number): PacedSource {
  const start = processorTime();
  let waited = 0;
  const now = () => processorTime() - start + waited;
  const stream: RandomAccessSource['stream'] = ({ start = 0, end = file.length } = {}) => {
    let at = start;
    let arrival = now();
    /** When each chunk was read. */
    const reads: number[] = [];
    return new ReadableStream(
      {
        pull(controller) {
          if (at >= end) return controller.close();
          const chunk = file.slice(at, Math.min(at + CHUNK_BYTES, end));
          const sent = Math.max(arrival, reads.at(-SOCKET_BYTES / CHUNK_BYTES) ?? 0);
          arrival = sent + (1000 * chunk.length) / rate;
          waited += Math.max(0, arrival - now());
          reads.push(now());
          at += chunk.length;
          controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
  };
  return {
    source: {
      size: file.length,
      stream,
      read: async (offset, length) =>
        new Uint8Array(await new Response(stream({ start: offset, end: offset + length })).arrayBuffer()),
    },
    now,
  };
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
