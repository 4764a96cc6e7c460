import { number, type Rules } from '../checks/options.js';
import { ArgumentError } from '../errors.js';

/** Bytes `start` to `end - 1`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** One request: a range, and the wanted ranges within it, by their indexes in the list. */
export interface PlannedRange extends Range {
  readonly parts: readonly number[];
}

/** Which ranges share a request. */
export interface CoalesceOptions {
  /** Largest number of unwanted bytes between two ranges that are fetched to save a request. Default 0. */
  readonly maxGap?: number | undefined;
  /** Ranges are not joined to more than this; a wanted range is never cut. Default: no limit. */
  readonly maxLength?: number | undefined;
}

export const COALESCE_RULES: Rules<CoalesceOptions> = {
  maxGap: /* @__PURE__ */ number(),
  maxLength: /* @__PURE__ */ number(),
};

/**
 * Plans the fewest requests for a set of ranges, in order of their offsets. Ranges that overlap always end up in one
 * request, so that no byte is fetched twice; empty ranges need none.
 * @throws ArgumentError when a range ends before it starts
 */
export function coalesceRanges(ranges: readonly Range[], options: CoalesceOptions = {}): PlannedRange[] {
  const { maxGap = 0, maxLength = Infinity } = options;
  const planned: { start: number; end: number; parts: number[] }[] = [];
  for (const { start, end, index } of inOrder(ranges)) {
    const last = planned.at(-1);
    const overlaps = last !== undefined && start < last.end;
    const close = last !== undefined && start - last.end <= maxGap && end - last.start <= maxLength;
    if (overlaps || close) {
      last.end = Math.max(last.end, end);
      last.parts.push(index);
    } else planned.push({ start, end, parts: [index] });
  }
  return planned;
}

function inOrder(ranges: readonly Range[]): (Range & { index: number })[] {
  const ordered: (Range & { index: number })[] = [];
  for (const [index, { start, end }] of ranges.entries()) {
    if (!(start <= end)) {
      throw new ArgumentError('Cannot plan the requests: a range ends before it starts', {
        expected: `at least ${start}`,
        actual: end,
      });
    }
    if (start < end) ordered.push({ start, end, index });
  }
  return ordered.sort((a, b) => a.start - b.start || a.end - b.end);
}
