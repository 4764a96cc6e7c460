/** What `inspect` has found out: as data, and as lines for people. */
export interface Report {
  readonly data: object;
  readonly lines: readonly string[];
}

/** Bytes of the tensor over bytes of the file; 1 where there is nothing. */
export function ratioOf(original: number, stored: number): number {
  return original === 0 || stored === 0 ? 1 : original / stored;
}
