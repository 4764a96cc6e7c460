import type { ElementRange } from '../encoding.js';
import type { StreamHeader } from './streamHeader.js';

/** A pass goes once over all tiles. */
export type Pass =
  | { readonly kind: 'plane' | 'signs'; readonly plane: number }
  | { readonly kind: 'remainder' };

/** Where a tile has the unit of a pass: of each plane two, then the remainder. */
export function unitOfTile(pass: Pass, depth: number): number {
  if (pass.kind === 'remainder') return 2 * depth;
  return 2 * pass.plane + (pass.kind === 'signs' ? 1 : 0);
}

/**
 * The order of a tensor's units, one per tile and pass: each plane from the highest down with the signs that follow it,
 * then, for floats, the remainder. Fragments are consecutive parts of this sequence.
 */
export class UnitSequence {
  readonly passes: readonly Pass[];
  readonly tileSize: number;
  readonly tiles: number;
  /** The first that is wanted. */
  readonly firstTile: number;
  /** One past the last that is wanted. */
  readonly endTile: number;
  readonly #range: ElementRange;

  /**
   * @param exact the planes alone make the tensor exact: integers
   * @param range the wanted elements, whole tiles; default all
   */
  constructor(
    stream: StreamHeader,
    elements: number,
    exact: boolean,
    range: ElementRange = { start: 0, end: elements },
  ) {
    const passes: Pass[] = [];
    stream.planes.forEach(({ signs }, plane) => {
      passes.push({ kind: 'plane', plane });
      if (signs) passes.push({ kind: 'signs', plane });
    });
    if (!exact) passes.push({ kind: 'remainder' });
    this.passes = passes;
    this.tileSize = 2 ** stream.tileLog2;
    this.tiles = Math.ceil(elements / this.tileSize);
    this.firstTile = range.start / this.tileSize;
    this.endTile = Math.ceil(range.end / this.tileSize);
    this.#range = range;
  }

  get length(): number {
    return this.tiles * this.passes.length;
  }

  /** Passes of a tile among the first `units` units. */
  passesOf(tile: number, units: number): number {
    return this.tiles === 0 ? 0 : Math.floor((units - tile + this.tiles - 1) / this.tiles);
  }

  /** First weight of a tile, counted from the first wanted one, and how many it has: fewer only in the last. */
  range(tile: number): { start: number; count: number } {
    const start = tile * this.tileSize;
    return { start: start - this.#range.start, count: Math.min(this.tileSize, this.#range.end - start) };
  }
}
