import { GROUP } from '../../kernels/embedded/tile.js';
import type { PlaneHeader } from './format.js';
import { type Energies, energiesAfter, type MeasuredTile } from './measure.js';
import type { TensorPlan } from './plan.js';
import { qualityOf, type UnitQuality } from './unitQualities.js';
import type { Pass, UnitSequence } from './unitSequence.js';

/** Groups of a tile, from the first to before the second. */
export type Groups = readonly [from: number, to: number];

/** What groups of a tile are in a pass. */
export interface EncodedGroups extends MeasuredTile {
  readonly bytes: Uint8Array;
}

/** A pass that units can be cut in. */
export type PlanePass = Exclude<Pass, { readonly kind: 'remainder' }>;

/** Encodes groups of tiles. */
export interface EncodeGroups {
  measured(tile: number, pass: PlanePass, groups: Groups): EncodedGroups;
  /** The same without what is measured, in less time. */
  bytes(tile: number, pass: PlanePass, groups: Groups): Uint8Array;
}

/** A part of a unit that a fragment ends with. */
export interface UnitPart {
  /** The unit goes on at this group. */
  readonly groups: number;
  readonly bytes: Uint8Array;
  readonly quality: UnitQuality;
  /** Of the whole tensor. */
  readonly energies: Energies;
}

/** In tensors of more tiles, a whole unit is little, and their elements would have to be kept. */
const MOST_TILES = 64;

/** Whether fragments of a tensor may end within units. */
export function cutsUnits({ elements, planes }: Pick<TensorPlan, 'elements' | 'planes'>): boolean {
  return elements <= MOST_TILES * 2 ** planes.tileLog2;
}

/** Units of fewer are not cut. */
const LEAST_GROUPS = 8;
/** Nor where less than one part in so many would be left. */
const LEAST_REST = 16;
/** How often more groups are tried where some do not reach the quality. */
const TRIES = 3;
/** Groups differ: one part in so many is added to what would reach the quality if they did not. */
const MARGIN = 64;

/** Cuts units behind the first groups that reach a quality. */
export class UnitCutter {
  readonly #tiles: readonly MeasuredTile[];
  readonly #planes: readonly PlaneHeader[];
  readonly #sequence: UnitSequence;
  readonly #encode: EncodeGroups;
  readonly #energy: number;

  constructor(
    tiles: readonly MeasuredTile[],
    planes: readonly PlaneHeader[],
    sequence: UnitSequence,
    encode: EncodeGroups,
  ) {
    this.#tiles = tiles;
    this.#planes = planes;
    this.#sequence = sequence;
    this.#encode = encode;
    this.#energy = tiles.reduce((sum, tile) => sum + tile.energy, 0);
  }

  /**
   * The part of a unit that reaches a quality; undefined: all of it is needed, or nearly.
   * @param before the part that the fragment before has ended with, if this unit is the same
   * @param whole the quality with all of it
   */
  cut(unit: number, target: number, before: UnitPart | undefined, whole: UnitQuality): UnitPart | undefined {
    const pass = this.#passOf(unit);
    const { tiles } = this.#sequence;
    const all = this.#groupsOf(unit);
    if (pass.kind === 'remainder' || all < LEAST_GROUPS) return undefined;
    const most = all - Math.ceil(all / LEAST_REST);
    const start = before?.groups ?? 0;
    const known = before?.energies ?? this.#energiesBefore(unit);
    const low = qualityOf(known, this.#energy).cosine;
    const share = (target - low) / (whole.cosine - low);
    let groups = start + Math.ceil((all - start) * share + all / MARGIN);
    for (let tries = 0; tries < TRIES && groups <= most; tries++) {
      const part = this.#encode.measured(unit % tiles, pass, [start, groups]);
      const energies = sum(known, this.#change(pass, part));
      const quality = qualityOf(energies, this.#energy);
      if (quality.cosine >= target) return { groups, bytes: part.bytes, quality, energies };
      groups += Math.ceil((2 * all) / MARGIN);
    }
    return undefined;
  }

  /** What is left of a unit behind its first groups. */
  rest(unit: number, groups: number): Uint8Array {
    const pass = this.#passOf(unit) as PlanePass;
    return this.#encode.bytes(unit % this.#sequence.tiles, pass, [groups, this.#groupsOf(unit)]);
  }

  #passOf(unit: number): Pass {
    return this.#sequence.passes[Math.floor(unit / this.#sequence.tiles)]!;
  }

  #groupsOf(unit: number): number {
    return Math.ceil(this.#sequence.range(unit % this.#sequence.tiles).count / GROUP);
  }

  /** The energies of all tiles, by the units before one. */
  #energiesBefore(unit: number): Energies {
    const { passes, tiles } = this.#sequence;
    return this.#tiles.reduce(
      (total, tile, i) => {
        const pass = passes[Math.floor(unit / tiles) - (i < unit % tiles ? 0 : 1)];
        return sum(total, this.#energies(pass, tile));
      },
      { square: 0, error: 0 },
    );
  }

  #energies(pass: Pass | undefined, tile: MeasuredTile): Energies {
    return pass === undefined ? { square: 0, error: tile.energy } : energiesAfter(pass, tile, this.#planes);
  }

  /** What a pass changes in a part of a tile. */
  #change(pass: Pass, part: MeasuredTile): Energies {
    const { passes } = this.#sequence;
    const after = this.#energies(pass, part);
    const before = this.#energies(passes[passes.indexOf(pass) - 1], part);
    return { square: after.square - before.square, error: after.error - before.error };
  }
}

function sum(a: Energies, b: Energies): Energies {
  return { square: a.square + b.square, error: a.error + b.error };
}
