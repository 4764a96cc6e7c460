/** Similarity of the reconstruction from a prefix of units with the tensor. */
export interface UnitQuality {
  readonly cosine: number;
  readonly relativeError: number;
}

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

/** Units in the shortest prefixes that reach the targets, rising, and at the end all units. */
export function cutsForQualities(qualities: readonly UnitQuality[], targets: readonly number[]): number[] {
  const cuts = new Set<number>();
  for (const target of targets) {
    const reached = qualities.findIndex(({ cosine }) => cosine >= target);
    if (reached >= 0) cuts.add(reached + 1);
  }
  cuts.add(qualities.length);
  return [...cuts].sort((a, b) => a - b);
}

/** Cuts the largest fragments, by bytes, in two until there are `wanted`, or each has one unit. */
export function refineCuts(cuts: readonly number[], lengths: readonly number[], wanted: number): number[] {
  const ends = [0];
  for (const length of lengths) ends.push(ends.at(-1)! + length);
  const size = ({ start, end }: Piece) => (end - start < 2 ? 0 : ends[end]! - ends[start]!);
  let pieces: Piece[] = cuts.map((end, i) => ({ start: cuts[i - 1] ?? 0, end }));
  while (pieces.length < wanted) {
    // In rounds, not one by one, because there may be 65,535 fragments to cut.
    pieces.sort((a, b) => size(b) - size(a));
    const largest = pieces[0]!;
    const splittable = pieces.filter(
      (piece) => piece.end - piece.start > 1 && 2 * size(piece) >= size(largest),
    );
    const chosen = new Set(splittable.slice(0, wanted - pieces.length));
    if (chosen.size === 0) break;
    pieces = pieces.flatMap((piece) => (chosen.has(piece) ? halves(ends, piece) : [piece]));
  }
  return pieces.map(({ end }) => end).sort((a, b) => a - b);
}

/** Units from `start` to before `end`. */
interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Two pieces, cut at the unit boundary that comes nearest to the middle of the bytes. */
function halves(ends: readonly number[], { start, end }: Piece): Piece[] {
  const half = (ends[start]! + ends[end]!) / 2;
  let middle = start + 1;
  for (let high = end - 1; middle < high; ) {
    const probe = (middle + high) >> 1;
    if (ends[probe]! < half) middle = probe + 1;
    else high = probe;
  }
  return [
    { start, end: middle },
    { start: middle, end },
  ];
}
