import type {
  EmbeddedEncodeKernels,
  GroupPlacing,
  SortedWeights,
  TilePlan,
} from '../../kernels/embedded/interface.js';
import { CENTROID_STEPS, GROUP } from '../../kernels/embedded/tile.js';
import type { Energies } from './measure.js';
import type { PlaneHeader } from './streamHeader.js';
import type { Pass } from './unitSequence.js';

/** Before the first pass, all weights are 0. */
const NOTHING: GroupPlacing = { perStep: 0, step: 0, inside: 0, ofZero: 0, least: 0, leastScale: 0 };

/** Groups that are measured at once: few are wanted more than are asked for, and a call takes as long as some. */
const GROUPS_AT_ONCE = 32;

/**
 * What gives what a group adds to the energies by a pass after another: the same as the sums of the kernels say of whole tiles.
 */
export function groupEnergies(
  kernels: Pick<EmbeddedEncodeKernels, 'groupChanges'>,
  weights: SortedWeights,
  { dense, scale }: TilePlan,
  planes: readonly PlaneHeader[],
  pass: Pass,
  before: Pass | undefined,
): (group: number) => Energies {
  const placingOf = (of: Pass | undefined): GroupPlacing => {
    if (of === undefined || of.kind === 'remainder') return NOTHING;
    const { centroid, zeroCentroid, level: own } = planes[of.plane]!;
    const step = 2 ** own;
    // Counts and ratios rise from plane to plane: the group has become dense in an earlier one, or does in this one.
    const level = of.kind === 'signs' ? own : own + 1;
    return {
      perStep: 1 / step,
      step,
      inside: centroid / CENTROID_STEPS,
      ofZero: level < planes.length ? (step * zeroCentroid) / CENTROID_STEPS : 0,
      least: 2 ** level,
      leastScale: dense.ratio + 4 * level,
    };
  };
  const [now, then] = [placingOf(pass), placingOf(before)];
  const blocks: Float64Array[] = [];
  return (group) => {
    const block = Math.floor(group / GROUPS_AT_ONCE);
    blocks[block] ??= kernels.groupChanges(
      groupsOfWeights(weights, GROUPS_AT_ONCE * block, GROUPS_AT_ONCE * (block + 1)),
      scale,
      dense.threshold,
      now,
      then,
    );
    const at = 2 * (group % GROUPS_AT_ONCE);
    return { square: blocks[block][at]!, error: blocks[block][at + 1]! };
  };
}

/** The weights of groups, from one to before another. */
export function groupsOfWeights(
  { patterns, layout, scales, places }: SortedWeights,
  from: number,
  to: number,
): SortedWeights {
  const [start, end] = [GROUP * from, GROUP * to];
  return {
    patterns: patterns.subarray(start, end),
    layout,
    scales: scales.subarray(from, to),
    places: places.filter((place) => place >= start && place < end).map((place) => place - start),
  };
}
