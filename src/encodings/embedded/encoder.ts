import type {
  EmbeddedEncodeKernels,
  EncodedTile,
  SortedWeights,
  TileCoding,
  TileWeights,
} from '../../kernels/embedded/interface.js';
import { sortedPatterns } from '../../kernels/embedded/survey.js';
import { viewBytes } from '../../tensor/tensor.js';
import type { EncodeGroups, PlanePass } from './cutUnits.js';
import { serializeExceptions } from './exceptions.js';
import type { TileFacts } from './fragmentLayout.js';
import { groupsOfWeights } from './groupEnergies.js';
import { withoutExceptions } from './measure.js';
import type { SurveyedTensor, TensorPlan } from './plan.js';
import type { Source } from './source.js';
import { TileOrder } from './tileOrder.js';
import { unitOfTile } from './unitSequence.js';

/** A tile of a tensor, encoded. */
export interface TileUnits extends Omit<TileFacts, 'lengths'>, Pick<EncodedTile, 'bytes' | 'lengths'> {}

/**
 * Encodes tiles that follow each other. Each only depends on its weights and on the plan of the tensor.
 * @param firstTile the number of the first one in the tensor
 * @param mayOverwrite their units may take the place of the weights
 */
export function encodeTiles(
  { patterns, layout }: Pick<Source, 'patterns' | 'layout'>,
  firstTile: number,
  plan: TensorPlan,
  kernels: Pick<EmbeddedEncodeKernels, 'encodeTile'>,
  mayOverwrite = false,
): TileUnits[] {
  const tileSize = 2 ** plan.planes.tileLog2;
  const weightsOf = weightsIn(plan, layout);
  return Array.from({ length: Math.ceil(patterns.length / tileSize) }, (_, i) => {
    const own = patterns.subarray(i * tileSize, (i + 1) * tileSize);
    const { weights, places, exceptions } = weightsOf(own, firstTile + i);
    const room = mayOverwrite ? viewBytes(own) : undefined;
    const tile = kernels.encodeTile(weights, plan.coding, exceptions, room);
    return {
      bytes: tile.bytes,
      lengths: tile.lengths,
      energy: tile.energy,
      sums: withoutExceptions(tile, places),
      signPlanes: signPlanesOf(tile.denseFrom),
    };
  });
}

/** What gives the elements of a tile of a tensor that is in memory. */
export function tilesOf(
  patterns: Source['patterns'],
  { planes }: Pick<SurveyedTensor, 'planes'>,
): (tile: number) => Source['patterns'] {
  const tileSize = 2 ** planes.tileLog2;
  return (tile) => patterns.subarray(tile * tileSize, (tile + 1) * tileSize);
}

/**
 * What encodes groups of a tile as a tile of their own, up to a pass. The unit of this pass is a part of that of the tile.
 * @param tileOf the elements of a tile
 */
export function groupsEncoder(
  plan: TensorPlan,
  layout: Source['layout'],
  kernels: Pick<EmbeddedEncodeKernels, 'encodeTile' | 'sortTile' | 'groupChanges'>,
  tileOf: (tile: number) => Source['patterns'],
): EncodeGroups {
  const { coding } = plan;
  const weightsOf = weightsIn(plan, layout);
  // The one that was used last: parts of one unit come one after another.
  let last: { readonly tile: number; readonly own: SortedWeights } | undefined;
  const weights = (tile: number): SortedWeights => {
    if (last?.tile !== tile) {
      const { weights, places } = weightsOf(tileOf(tile), tile);
      const { layout, scales } = weights;
      last = { tile, own: { patterns: kernels.sortTile(weights), layout, scales, places } };
    }
    return last.own;
  };
  return {
    kernels,
    weights,
    bytes(tile, pass, [from, to]) {
      const part = { ...groupsOfWeights(weights(tile), from, to), parts: undefined };
      const top = topOf(coding, pass);
      const { bytes, lengths } = kernels.encodeTile(part, top, NO_EXCEPTIONS);
      const unit = unitOfTile(pass, top.depth);
      const start = lengths.subarray(0, unit).reduce((sum, length) => sum + length, 0);
      return bytes.subarray(start, start + lengths[unit]!);
    },
  };
}

/** The planes down to that of a pass, as if there were no others. */
function topOf({ scale, depth, planes, ...coding }: TileCoding, { plane }: PlanePass): TileCoding {
  const top = planes.slice(0, plane + 1);
  return {
    ...coding,
    scale: scale + depth - top.length,
    depth: top.length,
    planes: top,
    nonzero: undefined,
    lastOnly: true,
  };
}

function signPlanesOf(denseFrom: Uint8Array): number {
  let planes = 0;
  for (const plane of denseFrom) if (plane < 32) planes |= 1 << plane;
  return planes;
}

/** The weights of a tile; `places` and exceptions are NaNs and infinities. */
interface OwnWeights extends Pick<SortedWeights, 'places'> {
  readonly weights: TileWeights;
  /** As the remainder begins. */
  readonly exceptions: Uint8Array;
}

const NO_EXCEPTIONS = /* @__PURE__ */ Uint8Array.of(0);

/** What gives the weights of a tile by its number and its elements. */
export function weightsIn(
  { planes, scales, exceptions }: SurveyedTensor,
  layout: Source['layout'],
): (patterns: Source['patterns'], tile: number) => OwnWeights {
  const order = new TileOrder(planes.base, scales);
  return (own, tile) => {
    const start = tile * 2 ** planes.tileLog2;
    const parts = order.isNatural ? undefined : order.parts(start, own.length);
    const weights = { patterns: own, layout, parts, scales: order.scalesOf(start, own.length) };
    if (exceptions === 0) return { weights, places: [], exceptions: NO_EXCEPTIONS };
    const sorted = sortedPatterns(weights);
    const { mantissaBits, exponentBits } = layout;
    const special = 2 ** exponentBits - 1;
    const places: number[] = [];
    sorted.forEach((pattern, i) => {
      if (((pattern >>> mantissaBits) & special) === special) places.push(i);
    });
    const finite = sorted.slice();
    for (const place of places) finite[place] = 0;
    return {
      weights: { ...weights, patterns: finite, parts: undefined },
      places,
      exceptions: serializeExceptions(places, sorted),
    };
  };
}
