import { type Cut, cutsForQualities, firstAfter, refineCuts, usefulQualities } from './cuts.js';
import { type EncodeGroups, UnitCutter } from './cutUnits.js';
import { serializeFragmentHead } from './format.js';
import { centroids, type MeasuredTile, sumsOf } from './measure.js';
import type { TensorPlan } from './plan.js';
import { packScales, type StreamHeader } from './streamHeader.js';
import { unitCosines } from './unitCosines.js';
import { UnitSequence, unitOfTile } from './unitSequence.js';

/** What decides where the units of a tile go, and the qualities that they reach: all but their bytes. */
export interface TileFacts extends MeasuredTile {
  /** Of its units, in the order in which the tile has them: {@link unitOfTile}. */
  readonly lengths: ArrayLike<number>;
  /** A bit for each plane that makes groups dense. */
  readonly signPlanes: number;
}

/** A fragment: its head, then units of the sequence, the first and the last of them perhaps in part. */
export interface FragmentLayout {
  /** Bytes of all of it. */
  readonly size: number;
  readonly head: Uint8Array;
  readonly first: number;
  readonly end: number;
  /** In place of the first one: what the fragment before has left of it. */
  readonly from: Uint8Array | undefined;
  /** In place of the last one: a part of it. */
  readonly to: Uint8Array | undefined;
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

/**
 * Cuts a tensor into fragments, once all of its tiles are encoded.
 * @param encode parts of tiles, for fragments to end within units; without it, they end with units
 */
export function layOutFragments(
  plan: TensorPlan,
  tiles: readonly TileFacts[],
  { fragments, qualities: targets }: FragmentTargets,
  encode: EncodeGroups | undefined,
): TensorLayout {
  const { elements } = plan;
  const stream = streamOf(plan, tiles);
  const sequence = new UnitSequence(stream, elements, plan.coding.nonzero === undefined);
  const lengths = new Array<number>(sequence.length);
  sequence.passes.forEach((pass, p) => {
    const unit = unitOfTile(pass, plan.coding.depth);
    tiles.forEach((tile, i) => {
      lengths[p * tiles.length + i] = tile.lengths[unit]!;
    });
  });
  const cosines = unitCosines(tiles, stream.planes, sequence);
  const cutter = encode && new UnitCutter(plan, tiles, stream.planes, sequence, encode);
  const cuts = chooseCuts(fragments, targets, lengths, cosines, cutter);
  return {
    sequence,
    fragments: cuts.map(({ end, part }, index) => {
      const before = cuts[index - 1];
      const first = before === undefined ? 0 : firstAfter(before);
      const goesOn = part !== undefined && before?.part !== undefined && end === before.end;
      const from = goesOn ? undefined : before?.part && cutter!.rest(first, before.part.groups);
      const cosine = part?.cosine ?? cosines[end - 1] ?? 1;
      const own = lengths.slice(first, end);
      if (from !== undefined) own[0] = from.length;
      if (part !== undefined) own[own.length - 1] = part.bytes.length;
      const header = { groups: part?.groups ?? 0, cosine };
      const head = serializeFragmentHead({ ...header, stream: index === 0 ? stream : undefined }, own);
      const size = own.reduce((sum, length) => sum + length, head.length);
      return { size, head, first, end, from, to: part?.bytes, cosine };
    }),
  };
}

function streamOf(
  { elements, planes: plan, scales, coding }: TensorPlan,
  tiles: readonly TileFacts[],
): StreamHeader {
  const signPlanes = tiles.reduce((planes, tile) => planes | tile.signPlanes, 0);
  return {
    ...plan,
    elements,
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

function chooseCuts(
  fragments: number,
  targets: readonly number[] | undefined,
  lengths: readonly number[],
  reached: readonly number[],
  cutter: UnitCutter | undefined,
): Cut[] {
  // A tensor without elements has no units, but still a fragment with the headers.
  if (lengths.length === 0) return [{ end: 0, part: undefined }];
  if (targets !== undefined) return cutsForQualities(reached, targets, cutter);
  return refineCuts(cutsForQualities(reached, usefulQualities(fragments), cutter), lengths, fragments);
}
