/** Numbers as the page writes them. */

/** 0.0321 → "3.2 %". */
export function percent(part: number, digits = 1): string {
  return `${(100 * part).toFixed(digits)} %`;
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
