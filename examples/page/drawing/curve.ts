import type { Scale } from './scale.js';

export type Point = readonly [x: number, y: number];

/** A line through points as the `d` of an SVG path; one point alone has none, and is drawn as a dot. */
export function linePath(points: readonly Point[], x: Scale, y: Scale): string {
  if (points.length < 2) return '';
  return points.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${round(x(a))} ${round(y(b))}`).join('');
}

/** The first point from which on all are at least as high. */
export function settledAt(points: readonly Point[], height: number): Point | undefined {
  const low = points.findLastIndex(([, value]) => value < height);
  return points[low + 1];
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
