/** The constant tables of RFC 8878, sections 3.1.1.3.2.1.1 and 3.1.1.3.2.2. Each symbol is a code for a range. */

export interface SequenceCodes {
  /** Bits that follow a code and give the offset in its range. */
  readonly bits: Uint8Array;
  /** First value of each code's range. */
  readonly bases: Uint32Array;
  /** The predefined distribution: counts out of 2^log; −1 means less than 1. */
  readonly counts: Int16Array;
  readonly log: number;
  /** The largest log that a block may use. */
  readonly maxLog: number;
}

const run = (length: number, value: number) => Array<number>(length).fill(value);

function cumulative(bits: readonly number[], first: number): Uint32Array {
  let next = first;
  return Uint32Array.from(bits, (width) => {
    const base = next;
    next += 2 ** width;
    return base;
  });
}

const LITERALS_BITS = [...run(16, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_BITS = [...run(32, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const OFFSET_BITS = Array.from({ length: 32 }, (_, code) => code);

export const LITERALS_LENGTH: SequenceCodes = {
  bits: Uint8Array.from(LITERALS_BITS),
  bases: cumulative(LITERALS_BITS, 0),
  counts: Int16Array.from([4, 3, ...run(11, 2), 1, 1, 1, ...run(9, 2), 3, 2, ...run(5, 1), ...run(4, -1)]),
  log: 6,
  maxLog: 9,
};

export const MATCH_LENGTH: SequenceCodes = {
  bits: Uint8Array.from(MATCH_BITS),
  bases: cumulative(MATCH_BITS, 3),
  counts: Int16Array.from([1, 4, 3, ...run(6, 2), ...run(37, 1), ...run(7, -1)]),
  log: 6,
  maxLog: 9,
};

export const OFFSET: SequenceCodes = {
  bits: Uint8Array.from(OFFSET_BITS),
  bases: Uint32Array.from(OFFSET_BITS, (width) => 2 ** width),
  counts: Int16Array.from([...run(6, 1), 2, 2, 2, ...run(15, 1), ...run(5, -1)]),
  log: 5,
  maxLog: 8,
};
