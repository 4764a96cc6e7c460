import { escapeControls } from '../src/errors/show.js';
import { UsageError } from './failure.js';

/**
 * All that the command line writes to its standard outputs; nothing else of it touches them. Names, metadata and messages
 * come from files and servers: no control character of theirs may move the cursor, change colours or the direction of
 * text, or begin a line.
 */

const CLEAR_LINE = '\r\u001b[2K';
/** Whether the last line of standard error is one that is drawn again and again. */
let isDrawn = false;

/** Lines on standard output. */
export function print(lines: readonly string[]): void {
  process.stdout.write(`${safe(lines)}\n`);
}

/** Lines on standard error. */
export function tell(...lines: readonly string[]): void {
  // What is drawn there is drawn again below.
  process.stderr.write(`${isDrawn ? CLEAR_LINE : ''}${safe(lines)}\n`);
  isDrawn = false;
}

/** Data on standard output, in ASCII where a terminal could take characters for more than text. */
export function printJson(data: object): void {
  // Escapes have no meaning outside of strings: there, only line ends are left.
  const text = JSON.stringify(data, null, 2).replace(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, jsonEscape);
  process.stdout.write(`${text}\n`);
}

/** Bytes on standard output, for another program. Not closed at the end: it belongs to the process. */
export function standardOutput(): WritableStream<Uint8Array> {
  if (process.stdout.isTTY) throw new UsageError('Bytes are not for a terminal: name a file, or use a pipe');
  return new WritableStream({
    write: (chunk) => new Promise((resolve) => process.stdout.write(chunk, () => resolve())),
  });
}

/** A line of a terminal that is drawn again and again. */
export interface Screen {
  columns(): number;
  /** The text has no control characters and fits in a line. */
  draw(text: string): void;
  clear(): void;
}

/** The line of standard error where progress is shown; undefined without a terminal that can clear a line. */
export function openScreen(): Screen | undefined {
  const { stderr } = process;
  if (!stderr.isTTY || process.env.TERM === 'dumb') return undefined;
  return {
    columns: () => stderr.columns || 80,
    draw(text) {
      stderr.write(`${CLEAR_LINE}${text}`);
      isDrawn = true;
    },
    clear() {
      stderr.write(CLEAR_LINE);
      isDrawn = false;
    },
  };
}

/** Calls back when the reader of standard output has gone. */
export function onOutputEnd(ended: (error: Error) => void): void {
  process.stdout.once('error', ended);
  // Nobody hears what is said there any more (`… 2>&1 | head`, a terminal that is gone): the work goes on.
  process.stderr.on('error', () => {});
}

function safe(lines: readonly string[]): string {
  return lines.map(escapeControls).join('\n');
}

function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
