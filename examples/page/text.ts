/** Numbers as the page writes them, and what they are called. */
import type { Measure } from './racer/protocol.js';

/** 0.0321 → "3.2 %", 1 → "100 %". */
export function percent(part: number, digits = 1): string {
  return `${(100 * part).toFixed(digits).replace(/\.0+$/, '')} %`;
}

export const MEASURES: Readonly<Record<Measure, string>> = {
  cosine: 'cosine similarity of the weights',
  predicted: 'similarity that the file predicts',
  elements: 'of the elements have arrived, the others are 0',
};

/** 0.99998 → "0.9999": only what is complete is 1. */
export function similarity(quality: number): string {
  return quality === 1 ? '1' : (Math.floor(10_000 * quality) / 10_000).toFixed(4);
}

/** 1430 → "1.4 s". */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 99_950 ? 1 : 0)} s`;
}

/** 65536 → "66 kB". */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const [value, unit] = count < 999_500 ? [count / 1000, 'kB'] : [count / 1_000_000, 'MB'];
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${unit}`;
}

export function rate(bytesPerSecond: number): string {
  return `${bytes(bytesPerSecond)}/s`;
}
