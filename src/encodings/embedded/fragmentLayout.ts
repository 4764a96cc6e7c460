import { cutsForQualities, refineCuts, type UnitQuality, usefulQualities } from './cuts.js';
import { type PlaneHeader, packScales, type StreamHeader, serializeFragmentHead } from './format.js';
import { centroids, type Energies, energiesAfter, type MeasuredTile, sumsOf } from './measure.js';
import type { TensorPlan } from './plan.js';
import { type Pass, UnitSequence } from './unitSequence.js';

/** What decides where the units of a tile go, and the qualities that they reach: all but their bytes. */
export interface TileFacts extends MeasuredTile {
  /** Of its units, in the order in which the tile has them: {@link unitOfTile}. */
  readonly lengths: ArrayLike<number>;
  /** A bit for each plane that makes groups dense. */
  readonly signPlanes: number;
}

/** A fragment: its head, then units of the sequence. */
export interface FragmentLayout {
  readonly head: Uint8Array;
  readonly first: number;
  readonly end: number;
  /** Of the reconstruction from this fragment and those before it. */
  readonly cosine: number;
}

/** All fragments of a tensor. */
export interface TensorLayout {
  readonly sequence: UnitSequence;
  readonly fragments: readonly FragmentLayout[];
}

/** Where the fragments are to end. */
export interface FragmentTargets {
  readonly fragments: number;
  /** In place of their number. */
  readonly qualities: readonly number[] | undefined;
}

/** Where a tile has the unit of a pass: of each plane two, then the remainder. */
export function unitOfTile(pass: Pass, { coding }: Pick<TensorPlan, 'coding'>): number {
  if (pass.kind === 'remainder') return 2 * coding.depth;
  return 2 * pass.plane + (pass.kind === 'signs' ? 1 : 0);
}

/** Cuts a tensor into fragments, once all of its tiles are encoded. */
export function layOutFragments(
  plan: TensorPlan,
  tiles: readonly TileFacts[],
  { fragments, qualities: targets }: FragmentTargets,
): TensorLayout {
  const { elements } = plan;
  const stream = streamOf(plan, tiles);
  const sequence = new UnitSequence(stream, elements, plan.coding.nonzero === undefined);
  const lengths = new Array<number>(sequence.length);
  sequence.passes.forEach((pass, p) => {
    const unit = unitOfTile(pass, plan);
    tiles.forEach((tile, i) => {
      lengths[p * tiles.length + i] = tile.lengths[unit]!;
    });
  });
  const qualities = unitQualities(tiles, stream.planes, sequence);
  const cuts = chooseCuts(fragments, targets, lengths, qualities);
  return {
    sequence,
    fragments: cuts.map((end, index) => {
      const first = index === 0 ? 0 : cuts[index - 1]!;
      const quality = qualities[end - 1] ?? EXACT;
      const header = { elements, first, ...quality, stream: index === 0 ? stream : undefined };
      const head = serializeFragmentHead(header, lengths.slice(first, end));
      return { head, first, end, cosine: quality.cosine };
    }),
  };
}

function streamOf({ planes: plan, scales, coding }: TensorPlan, tiles: readonly TileFacts[]): StreamHeader {
  const signPlanes = tiles.reduce((planes, tile) => planes | tile.signPlanes, 0);
  return {
    ...plan,
    dense: coding.dense,
    codedDense: coding.codedDense,
    scales: scales && packScales(scales),
    planes: coding.planes.map((plane, j) => ({
      ...plane,
      ...centroids(sumsOf(tiles, j)),
      signs: ((signPlanes >> j) & 1) === 1,
    })),
    nonzero: coding.nonzero ?? new Uint8Array(0),
  };
}

const EXACT: UnitQuality = { cosine: 1, relativeError: 0 };

/** The quality of each prefix of units. */
function unitQualities(
  tiles: readonly TileFacts[],
  planes: readonly PlaneHeader[],
  { passes, length }: UnitSequence,
): UnitQuality[] {
  const energy = tiles.reduce((sum, tile) => sum + tile.energy, 0);
  const before = tiles.map((tile): Energies => ({ square: 0, error: tile.energy }));
  const qualities = new Array<UnitQuality>(length);
  let square = 0;
  let error = energy;
  passes.forEach((pass, p) => {
    tiles.forEach((tile, i) => {
      const after = energiesAfter(pass, tile, planes);
      square += after.square - before[i]!.square;
      error = Math.max(0, error + (after.error - before[i]!.error));
      before[i] = after;
      qualities[p * tiles.length + i] = qualityOf(square, error, energy);
    });
  });
  if (length > 0) qualities[length - 1] = EXACT;
  return qualities;
}

/** @param square ‖x̂‖² */
function qualityOf(square: number, error: number, energy: number): UnitQuality {
  if (energy === 0) return EXACT;
  if (square <= 0) return { cosine: 0, relativeError: 1 };
  // ‖x − x̂‖² = ‖x‖² − 2⟨x, x̂⟩ + ‖x̂‖²
  const dot = (energy + square - error) / 2;
  return {
    cosine: Math.min(1, Math.max(0, dot / Math.sqrt(square * energy))),
    relativeError: Math.sqrt(error / energy),
  };
}

function chooseCuts(
  fragments: number,
  targets: readonly number[] | undefined,
  lengths: readonly number[],
  reached: readonly UnitQuality[],
): number[] {
  // A tensor without elements has no units, but still a fragment with the headers.
  if (lengths.length === 0) return [0];
  if (targets !== undefined) return cutsForQualities(reached, targets);
  return refineCuts(cutsForQualities(reached, usefulQualities(fragments)), lengths, fragments);
}
