import type { UnitCutter, UnitPart } from './cutUnits.js';

/**
 * Qualities at which users are likely to stop, the most useful first. One per fragment is used, so that for any number
 * of fragments one ends there.
 */
const USEFUL_QUALITIES = [
  0.99, 0.9, 0.999, 0.5, 0.97, 0.997, 0.8, 0.9999, 0.95, 0.9995, 0.99999, 0.7, 0.98, 0.93, 0.998, 0.3, 0.995,
  0.985, 0.85, 0.6, 0.993,
];

/** The cosines at which the first `fragments` - 1 fragments end; the last one is exact. */
export function usefulQualities(fragments: number): number[] {
  return USEFUL_QUALITIES.slice(0, fragments - 1).sort((a, b) => a - b);
}

/** Where a fragment ends. */
export interface Cut {
  /** Units before it. */
  readonly end: number;
  /** What it has of the last of them; undefined: all. */
  readonly part: UnitPart | undefined;
}

/**
 * The shortest prefixes that reach the targets, rising, and at the end all units.
 * @param reached the cosine with each prefix of units
 * @param cutter undefined: fragments end with units
 */
export function cutsForQualities(
  reached: readonly number[],
  targets: readonly number[],
  cutter: UnitCutter | undefined,
): Cut[] {
  const cuts: Cut[] = [];
  for (const target of targets) {
    const unit = reached.findIndex((cosine) => cosine >= target);
    if (unit < 0) break;
    const before = cuts.at(-1);
    const begun = before?.end === unit + 1 ? before.part : undefined;
    if (before?.end === unit + 1 && (begun === undefined || begun.cosine >= target)) continue;
    cuts.push({ end: unit + 1, part: cutter?.cut(unit, target, begun) });
  }
  const last = cuts.at(-1);
  if (last?.end !== reached.length || last.part !== undefined) {
    cuts.push({ end: reached.length, part: undefined });
  }
  return cuts;
}

/** Cuts the largest fragments, by bytes, in two until there are `wanted`, or each has one unit. */
export function refineCuts(cuts: readonly Cut[], lengths: readonly number[], wanted: number): Cut[] {
  const ends = [0];
  for (const length of lengths) ends.push(ends.at(-1)! + length);
  const size = ({ start, end }: Piece) => (end - start < 2 ? 0 : ends[end]! - ends[start]!);
  let pieces: Piece[] = cuts.map((cut, i) => ({ ...cut, start: i === 0 ? 0 : firstAfter(cuts[i - 1]!) }));
  while (pieces.length < wanted) {
    // In rounds, not one by one, because there may be 65,535 fragments to cut.
    const largestFirst = [...pieces].sort((a, b) => size(b) - size(a));
    const largest = largestFirst[0]!;
    const splittable = largestFirst.filter(
      (piece) => piece.end - piece.start > 1 && 2 * size(piece) >= size(largest),
    );
    const chosen = new Set(splittable.slice(0, wanted - pieces.length));
    if (chosen.size === 0) break;
    pieces = pieces.flatMap((piece) => (chosen.has(piece) ? halves(ends, piece) : [piece]));
  }
  return pieces;
}

/** The first unit of a fragment, of which the one before may have a part. */
export function firstAfter({ end, part }: Cut): number {
  return part === undefined ? end : end - 1;
}

/** Units from `start` to before `end`. */
interface Piece extends Cut {
  readonly start: number;
}

/** Two pieces, cut at the unit boundary that comes nearest to the middle of the bytes. */
function halves(ends: readonly number[], piece: Piece): Piece[] {
  const { start, end } = piece;
  const half = (ends[start]! + ends[end]!) / 2;
  let middle = start + 1;
  for (let high = end - 1; middle < high; ) {
    const probe = (middle + high) >> 1;
    if (ends[probe]! < half) middle = probe + 1;
    else high = probe;
  }
  return [
    { start, end: middle, part: undefined },
    { ...piece, start: middle },
  ];
}
