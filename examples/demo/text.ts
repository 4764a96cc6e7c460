/** 437544 → "437,544". */
export function integer(value: number): string {
  return value.toLocaleString('en-US');
}

/** 0.9795 → "97.95 %". */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

export function line(label: string, text: string): void {
  console.log(`  ${label.padEnd(10)} ${text}`);
}
