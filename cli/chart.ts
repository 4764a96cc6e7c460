/** Small charts of block characters. */

const WIDTH = 60;
const HEIGHT = 8;
/** Eighths of a character cell, from nothing to full. */
const LEVELS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export interface Point {
  readonly x: number;
  /** 0 to 1; what lies outside is drawn at the edge. */
  readonly y: number;
}

/**
 * The steps through points of rising x, from x = 0 to that of the last: every column is as high as the last point
 * that lies within it or before it.
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
