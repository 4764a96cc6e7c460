import type { EmbeddedEncodeKernels, SortedWeights } from '../../kernels/embedded/interface.js';
import { GROUP } from '../../kernels/embedded/tile.js';
import { groupEnergies } from './groupEnergies.js';
import { type Energies, energiesAfter, type MeasuredTile } from './measure.js';
import type { TensorPlan } from './plan.js';
import type { PlaneHeader } from './streamHeader.js';
import { cosineOf } from './unitCosines.js';
import type { Pass, UnitSequence } from './unitSequence.js';

/** Groups of a tile, from the first to before the second. */
export type Groups = readonly [from: number, to: number];

/** A pass that units can be cut in. */
export type PlanePass = Exclude<Pass, { readonly kind: 'remainder' }>;

/** Encodes groups of tiles. */
export interface EncodeGroups {
  /** The weights of a tile that is in memory. */
  weights(tile: number): SortedWeights;
  readonly kernels: Pick<EmbeddedEncodeKernels, 'groupChanges'>;
  bytes(tile: number, pass: PlanePass, groups: Groups): Uint8Array;
}

/** A part of a unit that a fragment ends with. */
export interface UnitPart {
  /** The unit goes on at this group. */
  readonly groups: number;
  readonly bytes: Uint8Array;
  /** Of the whole tensor with what is known then. */
  readonly cosine: number;
  /** Of the whole tensor. */
  readonly energies: Energies;
}

/** In tensors of more tiles, a whole unit is little, and their elements would have to be kept. */
const MOST_TILES = 64;

/** Whether fragments of a tensor may end within units. */
export function cutsUnits({ elements, planes }: Pick<TensorPlan, 'elements' | 'planes'>): boolean {
  return elements <= MOST_TILES * 2 ** planes.tileLog2;
}

/** A part of a unit has at least so many, and leaves as many: else, the bytes of another length would not pay. */
const LEAST_GROUPS = 4;
/** Cuts units behind the first groups that reach a quality. */
export class UnitCutter {
  readonly #plan: TensorPlan;
  readonly #tiles: readonly MeasuredTile[];
  readonly #planes: readonly PlaneHeader[];
  readonly #sequence: UnitSequence;
  readonly #encode: EncodeGroups;
  readonly #energy: number;

  constructor(
    plan: TensorPlan,
    tiles: readonly MeasuredTile[],
    planes: readonly PlaneHeader[],
    sequence: UnitSequence,
    encode: EncodeGroups,
  ) {
    this.#plan = plan;
    this.#tiles = tiles;
    this.#planes = planes;
    this.#sequence = sequence;
    this.#encode = encode;
    this.#energy = tiles.reduce((sum, tile) => sum + tile.energy, 0);
  }

  /**
   * The part of a unit that reaches a quality; undefined: all of it is needed, or nearly.
   * @param before the part that the fragment before has ended with, if this unit is the same
   */
  cut(unit: number, target: number, before: UnitPart | undefined): UnitPart | undefined {
    const pass = this.#passOf(unit);
    const { tiles } = this.#sequence;
    const all = this.#groupsOf(unit);
    if (pass.kind === 'remainder') return undefined;
    const tile = unit % tiles;
    const change = groupEnergies(
      this.#encode.kernels,
      this.#encode.weights(tile),
      this.#plan.coding,
      this.#planes,
      pass,
      this.#passBefore(pass),
    );
    const start = before?.groups ?? 0;
    const first = start + LEAST_GROUPS;
    let energies = before?.energies ?? this.#energiesBefore(unit);
    // Most of the work is here: it begins at the end of the unit that is nearer by its cosine.
    const low = cosineOf(energies, this.#energy);
    const end = this.#energiesBefore(unit + 1);
    const high = cosineOf(end, this.#energy);
    let groups = start;
    if (target - low < high - target) {
      for (; groups < all && (groups < first || cosineOf(energies, this.#energy) < target); groups++) {
        energies = sum(energies, change(groups), 1);
      }
    } else {
      energies = end;
      for (groups = all; groups > first; groups--) {
        const earlier = sum(energies, change(groups - 1), -1);
        if (cosineOf(earlier, this.#energy) < target) break;
        energies = earlier;
      }
    }
    if (groups > all - LEAST_GROUPS) return undefined;
    const bytes = this.#encode.bytes(tile, pass, [start, groups]);
    return { groups, bytes, cosine: cosineOf(energies, this.#energy), energies };
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
        return sum(total, this.#energies(pass, tile), 1);
      },
      { square: 0, error: 0 },
    );
  }

  #energies(pass: Pass | undefined, tile: MeasuredTile): Energies {
    return pass === undefined ? { square: 0, error: tile.energy } : energiesAfter(pass, tile, this.#planes);
  }

  #passBefore(pass: Pass): Pass | undefined {
    const { passes } = this.#sequence;
    return passes[passes.indexOf(pass) - 1];
  }
}

function sum(a: Energies, b: Energies, sign: 1 | -1): Energies {
  return { square: a.square + sign * b.square, error: a.error + sign * b.error };
}
