import { escapeControls, withoutSecrets } from '../src/errors/show.js';
import { print, printJson } from './terminal.js';

/** The output of a command: as data, and as lines for people. */
export interface Report {
  readonly data: object;
  readonly lines: readonly string[];
}

export function printReport({ data, lines }: Report, json: true | undefined): void {
  if (json) printJson(data);
  else print(lines);
}

/**
 * The reports of several files: as a list, and each below its name. What is printed for people ends up in logs, so that
 * the names of URLs are there without their queries; programs get what they have passed.
 */
export function printReports(
  names: readonly string[],
  reports: readonly Report[],
  json: true | undefined,
): void {
  const [only, ...others] = reports;
  if (only !== undefined && others.length === 0) {
    printReport(only, json);
    return;
  }
  // Not `name`: tensors have one.
  const data = reports.map((report, i) => ({ input: names[i], ...report.data }));
  const lines = reports.flatMap((report, i) => {
    const head = `${withoutSecrets(names[i]!)}:`;
    return [...(i > 0 ? [''] : []), head, ...report.lines];
  });
  printReport({ data, lines }, json);
}

/** One line "name   value" per entry, without undefined ones. */
export function facts(values: Readonly<Record<string, string | number | undefined>>): string[] {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return columns(known.map(([key, value]) => [key, String(value)]));
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return columns([head, ...rows]);
}

/** A number of things, in words: "1 tensor", "2 tensors". */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** Longer texts stay in their row alone: a name of a megabyte must not widen the rows of 100,000 tensors. */
const MAX_COLUMN = 100;

function columns(rows: readonly (readonly string[])[]): string[] {
  const clean = rows.map((row) => row.map(escapeControls));
  const widths: number[] = [];
  for (const row of clean) {
    for (const [i, cell] of row.entries()) {
      if (cell.length <= MAX_COLUMN) widths[i] = Math.max(widths[i] ?? 0, cell.length);
    }
  }
  return clean.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Bytes of the tensor over bytes of the file; 1 where there is nothing. */
export function ratioOf(original: number, stored: number): number {
  return original === 0 || stored === 0 ? 1 : original / stored;
}

/** Characters of a chart. */
const WIDTH = 60;
const HEIGHT = 8;
/** Eighths of a character cell, from nothing to full. */
const LEVELS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export interface Point {
  readonly x: number;
  /** 0 to 1; values outside are drawn at the edge. */
  readonly y: number;
}

/**
 * A chart of steps through points of rising x, from 0 to the last x: every column is as high as the last point at or
 * before it.
 */
export function plot(points: readonly Point[], yName: string, xName: string): string[] {
  const last = points.at(-1)?.x ?? 0;
  const heights = Array.from({ length: WIDTH }, (_, column) => {
    const reached = points.findLast(({ x }) => x * WIDTH <= last * (column + 1));
    const y = Math.min(Math.max(reached?.y ?? 0, 0), 1);
    return Math.round((Number.isNaN(y) ? 0 : y) * HEIGHT * 8);
  });
  const rows = Array.from({ length: HEIGHT }, (_, row) => {
    const floor = (HEIGHT - 1 - row) * 8;
    const cells = heights.map((height) => LEVELS[Math.min(Math.max(height - floor, 0), 8)]).join('');
    return `${row === 0 ? '1.0' : '   '} │${cells}`.trimEnd();
  });
  const scale = `    └${'─'.repeat(WIDTH)}`;
  return [yName, ...rows, scale, `     0${`${last} ${xName}`.padStart(WIDTH - 1)}`];
}
