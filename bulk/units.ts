import type { LocatedTensor, ModelSource } from '../models/file/sourceFiles.js';
import { floatLayout } from '../src/encodings/embedded/elements.js';
import { tileLog2Of } from '../src/encodings/embedded/plan.js';
import { DTYPES, elementCount } from '../src/tensor/dtype.js';

/** What becomes one object: a tensor, or small tensors of one file that follow each other. */
export interface Unit {
  /** Among the units of the model, from 0. */
  readonly number: number;
  readonly tensors: readonly LocatedTensor[];
  readonly byteLength: number;
  /** Of a tensor that is divided: each is encoded by itself, once the tensor has a plan. Of others, undefined. */
  readonly ranges: readonly TileRangeOfUnit[] | undefined;
}

/** Tiles of a tensor that is divided. */
export interface TileRangeOfUnit {
  /** Among those of the tensor, from 0. */
  readonly number: number;
  readonly firstTile: number;
  readonly tiles: number;
  /** Bytes from the start of the tensor. */
  readonly offset: number;
  readonly byteLength: number;
}

/** What one job encodes: a unit, or a range of one that is divided. */
export interface UnitPart {
  readonly unit: Unit;
  readonly range: TileRangeOfUnit | undefined;
  readonly byteLength: number;
}

/**
 * Tensors up to this size together are one unit. Smaller units are more requests and jobs; larger ones are lost when a worker
 * dies, and wait for each other at the end.
 */
export const UNIT_BYTES = 2 ** 25;

/** How tensors become units. */
export interface UnitChoices {
  /** Larger tensors are divided. */
  readonly maxUnitBytes: number;
  readonly isDivisible: (tensor: LocatedTensor) => boolean;
}

export function planUnits(
  { tensors }: Pick<ModelSource, 'tensors'>,
  { maxUnitBytes, isDivisible }: UnitChoices,
): Unit[] {
  const most = Math.min(UNIT_BYTES, maxUnitBytes);
  const units: Unit[] = [];
  let group: LocatedTensor[] = [];
  let byteLength = 0;
  const close = () => {
    const [first] = group;
    if (first !== undefined) {
      const isDivided = byteLength > maxUnitBytes && group.length === 1 && isDivisible(first);
      const ranges = isDivided ? rangesOf(first, maxUnitBytes) : undefined;
      units.push({ number: units.length, tensors: group, byteLength, ranges });
    }
    [group, byteLength] = [[], 0];
  };
  for (const tensor of tensors) {
    const last = group.at(-1);
    if (last !== undefined && (last.source !== tensor.source || byteLength + tensor.byteLength > most))
      close();
    group.push(tensor);
    byteLength += tensor.byteLength;
  }
  close();
  return units;
}

/** About equal ranges of whole tiles; undefined for a tensor of one tile. */
function rangesOf({ dtype, shape, byteLength }: LocatedTensor, most: number): TileRangeOfUnit[] | undefined {
  const elements = elementCount(shape);
  const known = DTYPES.find((one) => one === dtype);
  const tileSize = 2 ** tileLog2Of(elements, (known && floatLayout(known)) ?? {});
  const tileBytes = tileSize * (byteLength / elements);
  const tiles = Math.ceil(elements / tileSize);
  const tilesOfRange = Math.max(1, Math.ceil(tiles / Math.ceil(byteLength / most)));
  const count = Math.ceil(tiles / tilesOfRange);
  if (count < 2) return undefined;
  return Array.from({ length: count }, (_, number) => {
    const firstTile = number * tilesOfRange;
    const offset = firstTile * tileBytes;
    return {
      number,
      firstTile,
      tiles: Math.min(tilesOfRange, tiles - firstTile),
      offset,
      byteLength: Math.min(tilesOfRange * tileBytes, byteLength - offset),
    };
  });
}

export function partsOf(units: readonly Unit[]): UnitPart[] {
  return units.flatMap((unit): UnitPart[] => {
    const { byteLength, ranges } = unit;
    if (ranges === undefined) return [{ unit, range: undefined, byteLength }];
    return ranges.map((range) => ({ unit, range, byteLength: range.byteLength }));
  });
}

/** The parts of shard `index` of `count`: every process that asks finds the same, and shards have about the same bytes. */
export function partsOfShard(parts: readonly UnitPart[], { index, count }: Shard): UnitPart[] {
  const loads = Array<number>(count).fill(0);
  // Sorting is stable: parts of one size stay in their order.
  const bySize = parts.toSorted((a, b) => b.byteLength - a.byteLength);
  return bySize.filter(({ byteLength }) => {
    const least = loads.reduce((best, load, shard) => (load < loads[best]! ? shard : best), 0);
    // Every unit costs requests, too.
    loads[least]! += byteLength + REQUEST_BYTES;
    return least === index;
  });
}

const REQUEST_BYTES = 2 ** 16;

/** One of several processes that divide the work among them, counted from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}
