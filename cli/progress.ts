import { counted as inWords } from './report.js';
import { openScreen } from './terminal.js';

/** A line about work under way, in bytes or other units; disposing of it removes it from the screen, at the end or on an error. */
export interface Progress extends Disposable {
  /** Counts `bytes` more. */
  advance(bytes: number): void;
  /** Says that `bytes` are done in all. */
  reach(bytes: number): void;
}

const SILENT: Progress = { advance: () => {}, reach: () => {}, [Symbol.dispose]: () => {} };

/** What a bar is called: fixed words, because nothing escapes them. */
type Activity = 'decoding' | 'encoding' | 'joining' | 'measuring' | 'reading' | 'resuming' | 'verifying';

const DRAW_EVERY_MS = 100;
/** The rate is that of the last while: work that goes on where another has stopped begins with a leap. */
const WINDOW_MS = 5000;

interface Sample {
  readonly time: number;
  readonly bytes: number;
}

/**
 * Shows a bar if somebody looks at a terminal; nothing in a pipe or a log.
 * @param unit what is counted in place of bytes
 */
export function startProgress(label: Activity, totalBytes: number | undefined, unit?: 'tensor'): Progress {
  const screen = openScreen();
  if (screen === undefined || totalBytes === undefined) return SILENT;
  let bytes = 0;
  let samples: Sample[] = [{ time: performance.now(), bytes }];
  let drawn = Number.NEGATIVE_INFINITY;
  const draw = (time: number) => {
    drawn = time;
    const [{ time: since, bytes: before }] = samples as [Sample];
    const rate = time > since ? (1000 * (bytes - before)) / (time - since) : 0;
    screen.draw(progressLine({ label, bytes, totalBytes, unit, rate }, screen.columns()));
    samples = [
      ...samples.filter((sample, i) => i === samples.length - 1 || time - sample.time < WINDOW_MS),
      { time, bytes },
    ];
  };
  const reach = (now: number) => {
    bytes = now;
    const time = performance.now();
    if (time - drawn >= DRAW_EVERY_MS || bytes >= totalBytes) draw(time);
  };
  draw(performance.now());
  return {
    advance: (more) => reach(bytes + more),
    reach,
    [Symbol.dispose]: () => screen.clear(),
  };
}

interface Moment {
  readonly label: string;
  readonly bytes: number;
  readonly totalBytes: number;
  /** What is counted in place of bytes. */
  readonly unit?: 'tensor' | undefined;
  /** Per second. */
  readonly rate: number;
}

/** Less is no bar. */
const LEAST_BAR = 6;
const MOST_BAR = 40;

/**
 * One line that never wraps: what is done of what, the rate and the time left, and a bar where there is room. A narrow
 * terminal loses the bar first, then the size.
 */
export function progressLine({ label, bytes, totalBytes, unit, rate }: Moment, columns: number): string {
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  const percent = `${Math.floor(100 * share)} %`.padStart(6);
  const left = rate > 0 && share < 1 ? `${formatSeconds((totalBytes - bytes) / rate)} left` : '';
  const speed = rate > 0 && unit === undefined ? `${formatBytes(Math.round(rate))}/s` : '';
  const size = unit === undefined ? formatBytes(totalBytes) : inWords(totalBytes, unit);
  const words = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(', ');
  const after = [words(`of ${size}`, speed, left), words(speed, left), left];
  // The last column is left free: some terminals wrap when it is written.
  const room = columns - 1;
  const start = `${label} `;
  for (const text of after) {
    const rest = text === '' ? percent : `${percent} ${text}`;
    const bar = Math.min(MOST_BAR, room - start.length - rest.length);
    if (bar < 0) continue;
    if (bar < LEAST_BAR) return start.trimEnd() + rest;
    const full = Math.round(share * bar);
    return `${start}${'='.repeat(full)}${'-'.repeat(bar - full)}${rest}`;
  }
  return (start.trimEnd() + percent).slice(0, Math.max(room, 0));
}

/** 83 → "1:23" */
function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
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
