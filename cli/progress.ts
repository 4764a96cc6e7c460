import { SingleBar } from 'cli-progress';
import { progressScreen } from './terminal.js';

/** A progress bar; disposing of it removes it from the screen, at the end or on an error. */
export interface Progress extends Disposable {
  /** Counts `bytes` more. */
  advance(bytes: number): void;
  /** Says that `bytes` are done in all. */
  reach(bytes: number): void;
}

const SILENT: Progress = { advance: () => {}, reach: () => {}, [Symbol.dispose]: () => {} };

/** What a bar is called: words of ours, because nothing escapes them. */
type Activity = 'decoding' | 'encoding' | 'joining' | 'measuring' | 'reading' | 'resuming' | 'verifying';

/** Shows a bar if somebody looks at a terminal; nothing in a pipe or a log. */
export function startProgress(label: Activity, totalBytes: number | undefined): Progress {
  const stream = progressScreen();
  if (stream === undefined || totalBytes === undefined) return SILENT;
  const bar = new SingleBar({
    format: '{label} {bar} {percentage} % of {size}, {duration_formatted}',
    stream,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(totalBytes, 0, { label, size: formatBytes(totalBytes) });
  return {
    advance: (bytes) => bar.increment(bytes),
    reach: (bytes) => bar.update(bytes),
    [Symbol.dispose]: () => bar.stop(),
  };
}

/** 1234567 → "1.18 MiB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  for (; value >= 1024 && unit + 1 < units.length; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(2)} ${units[unit]}`;
}

/** The same chunks, counted as they pass. */
export async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    progress.advance(chunk.length);
  }
}
