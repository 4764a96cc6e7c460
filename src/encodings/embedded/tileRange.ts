import type { TaskResult } from '../../bytes/sharedMemory.js';
import { embeddedEncodeKernels } from '../../kernels/embedded/encodeKernels.js';
import { SUMS } from '../../kernels/embedded/survey.js';
import { loadKernels } from '../../kernels/loadKernels.js';
import type { DType } from '../../tensor/dtype.js';
import { viewElements } from '../../tensor/tensor.js';
import { encodeTiles, type TileUnits } from './encoder.js';
import type { TileFacts } from './fragmentLayout.js';
import type { TensorPlan } from './plan.js';
import { elementsAsBits } from './source.js';

/** The task of workers that encodes some of the tiles of a tensor. */

export interface EncodeTileRange {
  readonly plan: TensorPlan;
  readonly dtype: DType;
  readonly firstTile: number;
  /** The bytes of the elements of these tiles, in shared memory or not. */
  readonly data: Uint8Array;
}

/** Encoded tiles as arrays, which pass between threads and are stored. */
export interface TileRange {
  /** Of each tile its energy and its sums. */
  readonly numbers: Float64Array;
  /** Of each tile the lengths of its units. */
  readonly lengths: Uint32Array;
  /** A bit for each plane that makes groups dense, in any tile. */
  readonly signPlanes: number;
  /** The first units of all tiles, then the second ones, and so on: fragments have them in this order. */
  readonly bytes: Uint8Array;
}

/** Numbers and units of a tile. */
export function sizesOf({ coding }: Pick<TensorPlan, 'coding'>) {
  const { depth, nonzero } = coding;
  return { numbers: 1 + SUMS * depth, units: 2 * depth + (nonzero === undefined ? 0 : 1) };
}

/** Task: encodes tiles that follow each other. */
export async function encodeTileRange({
  plan,
  dtype,
  firstTile,
  data,
}: EncodeTileRange): Promise<TaskResult<TileRange>> {
  const kernels = embeddedEncodeKernels(await loadKernels());
  const elements = viewElements(dtype, data);
  const bits = elementsAsBits({ dtype, shape: [elements.length], data: elements });
  const output = pack(encodeTiles(bits, firstTile, plan, kernels), plan);
  return { output, transfer: [output.numbers.buffer, output.lengths.buffer, output.bytes.buffer] };
}

function pack(tiles: readonly TileUnits[], plan: TensorPlan): TileRange {
  const sizes = sizesOf(plan);
  const numbers = new Float64Array(sizes.numbers * tiles.length);
  const lengths = new Uint32Array(sizes.units * tiles.length);
  let signPlanes = 0;
  tiles.forEach((tile, i) => {
    numbers[sizes.numbers * i] = tile.energy;
    numbers.set(tile.sums, sizes.numbers * i + 1);
    lengths.set(tile.lengths, sizes.units * i);
    signPlanes |= tile.signPlanes;
  });
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  // How far the units of each tile have been taken.
  const ends = new Uint32Array(tiles.length);
  for (let unit = 0; unit < sizes.units; unit++) {
    tiles.forEach((tile, i) => {
      const end = ends[i]! + tile.lengths[unit]!;
      bytes.set(tile.bytes.subarray(ends[i], end), at);
      at += tile.lengths[unit]!;
      ends[i] = end;
    });
  }
  return { numbers, lengths, signPlanes, bytes };
}

/** What fragments are laid out by. */
export function factsOfTiles(
  { numbers, lengths, signPlanes }: Omit<TileRange, 'bytes'>,
  plan: Pick<TensorPlan, 'coding'>,
): TileFacts[] {
  const sizes = sizesOf(plan);
  return Array.from({ length: numbers.length / sizes.numbers }, (_, i) => {
    const own = numbers.subarray(sizes.numbers * i, sizes.numbers * (i + 1));
    return {
      energy: own[0]!,
      sums: own.subarray(1),
      lengths: lengths.subarray(sizes.units * i, sizes.units * (i + 1)),
      signPlanes,
    };
  });
}
