import type { FloatLayout, PlaneCoding, TileState } from '../../kernels/embedded.js';
import { CodeChooser } from '../../kernels/portable/embedded/chooseCodes.js';
import {
  classesOf,
  countPlane,
  encodePlane,
  encodeSigns,
  freshBits,
} from '../../kernels/portable/embedded/planes.js';
import { encodeRemainder, finalClasses, nonzeroBitmap } from '../../kernels/portable/embedded/remainder.js';
import { scatterMagnitudes } from '../../kernels/portable/embedded/transpose.js';
import { serializeExceptions } from './exceptions.js';
import { bitmapBytes, NEVER_DENSE, type PlaneHeader, type StreamHeader } from './format.js';
import { centroids, measurePlane, type Products, productsOf, SUMS } from './measure.js';
import type { PlanePlan } from './plan.js';
import { type Pass, UnitSequence } from './unitSequence.js';

/** The elements of a tensor, as numbers and, where they are floats, as bits. */
export interface Source {
  /** Finite: NaNs and infinities are replaced by 0. */
  readonly values: Float32Array;
  readonly layout: FloatLayout | undefined;
  /** Undefined for integers. */
  readonly patterns: Uint16Array | Uint32Array | undefined;
}

export interface EncodedUnits {
  readonly stream: StreamHeader;
  readonly units: readonly Uint8Array[];
  /** What each unit changes in ⟨x, x̂⟩ and ‖x̂‖², in squares of the lowest plane's step. */
  readonly gains: readonly Products[];
}

interface Tile {
  readonly planes: readonly Uint8Array[];
  readonly signs: Uint8Array;
  /** {@link SUMS} a plane. */
  readonly sums: Float64Array;
  /** Σ x². */
  readonly energy: number;
}

/** Codes a tensor: once over its tiles to find out which codes are cheapest, once more to use them. */
export function encodeUnits(source: Source, plan: PlanePlan): EncodedUnits {
  const choosers = Array.from({ length: plan.depth }, () => new PlaneChooser(plan.threshold === NEVER_DENSE));
  const nonzeroChooser = new CodeChooser();
  const signPlanes = new Set<number>();
  const tiles: Tile[] = [];
  const size = 2 ** plan.tileLog2;
  for (let start = 0; start < source.values.length; start += size) {
    const end = Math.min(start + size, source.values.length);
    tiles.push(surveyTile(source, start, end, plan, choosers, nonzeroChooser, signPlanes));
  }
  const stream = streamHeader(plan, tiles, choosers, nonzeroChooser, signPlanes);
  const sequence = new UnitSequence(stream, source.values.length, source.layout === undefined);
  const units = new Array<Uint8Array>(sequence.length);
  const gains = new Array<Products>(sequence.length);
  tiles.forEach((tile, index) => {
    const { start, count } = sequence.range(index);
    const state = emptyState(count, tile.signs.slice());
    let products: Products = { dot: 0, square: 0 };
    sequence.passes.forEach((pass, p) => {
      const unit = p * sequence.tiles + index;
      units[unit] = encodeUnit(pass, state, tile, stream, source, start);
      const after = productsAfter(pass, tile, stream);
      gains[unit] = { dot: after.dot - products.dot, square: after.square - products.square };
      products = after;
    });
  });
  return { stream, units, gains };
}

/**
 * Chooses how to code a plane. Keeping apart the bits of significant weights pays where these stand among zeros that
 * stay zeros; elsewhere both come to the same, and one bitmap is faster.
 */
class PlaneChooser {
  readonly #together = new CodeChooser();
  readonly #apart: CodeChooser | undefined;
  #apartBits = 0;

  constructor(mayKeepApart: boolean) {
    this.#apart = mayKeepApart ? new CodeChooser() : undefined;
  }

  add(plane: Uint8Array, state: TileState): void {
    const classes = classesOf(state);
    this.#together.add(plane, classes);
    if (this.#apart === undefined) return;
    this.#apart.add(freshBits(state, plane), classes);
    state.counts.forEach((count, group) => {
      if (state.dense[group] === 0) this.#apartBits += count;
    });
  }

  choose(): PlaneCoding {
    const together = this.#together.choose();
    const apart = this.#apart?.choose();
    if (apart !== undefined && apart.cost + this.#apartBits < together.cost) {
      return { selection: apart.selection, apart: true };
    }
    return { selection: together.selection, apart: false };
  }
}

/** A tile before its first plane. */
function emptyState(count: number, signs: Uint8Array): TileState {
  const groups = Math.ceil(count / 64);
  return {
    count,
    significant: new Uint8Array(signs.length),
    signs,
    counts: new Uint8Array(groups),
    dense: new Uint8Array(groups),
  };
}

function surveyTile(
  { values, patterns, layout }: Source,
  start: number,
  end: number,
  plan: PlanePlan,
  choosers: readonly PlaneChooser[],
  nonzeroChooser: CodeChooser,
  signPlanes: Set<number>,
): Tile {
  const { xs, magnitudes, signs, energy } = splitTile(values.subarray(start, end), plan.scale);
  const planes = Array.from({ length: plan.depth }, () => new Uint8Array(signs.length));
  scatterMagnitudes(magnitudes, planes);
  const sums = new Float64Array(SUMS * plan.depth);
  const state = emptyState(end - start, signs);
  planes.forEach((plane, j) => {
    choosers[j]!.add(plane, state);
    countPlane(state, plane);
    const before = state.dense.slice();
    let fresh = false;
    state.counts.forEach((count, group) => {
      if (count < plan.threshold || before[group] === 1) return;
      state.dense[group] = 1;
      fresh = true;
    });
    if (fresh) signPlanes.add(j);
    const target = sums.subarray(SUMS * j, SUMS * (j + 1));
    measurePlane(xs, magnitudes, plan.depth - 1 - j, before, state.dense, target);
  });
  if (plan.markZeros) {
    const signBit = layout!.mantissaBits + layout!.exponentBits;
    const bitmap = nonzeroBitmap(
      magnitudes,
      finitePatterns(patterns!.subarray(start, end), layout!).patterns,
      signBit,
    );
    nonzeroChooser.add(bitmap, finalClasses(state));
  }
  return { planes, signs, sums, energy };
}

/** The numbers of a tile as signs and as magnitudes in steps of 2^scale. */
function splitTile(values: Float32Array, scale: number) {
  const xs = new Float32Array(values.length);
  const magnitudes = new Int32Array(values.length);
  const signs = new Uint8Array(bitmapBytes(values.length));
  const factor = 2 ** -scale;
  let energy = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const x = Math.abs(value) * factor;
    xs[i] = x;
    magnitudes[i] = x;
    energy += x * x;
    if (value < 0 || Object.is(value, -0)) signs[i >> 3]! |= 1 << (i & 7);
  }
  return { xs, magnitudes, signs, energy };
}

function streamHeader(
  plan: PlanePlan,
  tiles: readonly Tile[],
  choosers: readonly PlaneChooser[],
  nonzeroChooser: CodeChooser,
  signPlanes: ReadonlySet<number>,
): StreamHeader {
  const planes = choosers.map((chooser, j): PlaneHeader => {
    const sums = new Float64Array(SUMS);
    for (const tile of tiles) for (let k = 0; k < SUMS; k++) sums[k]! += tile.sums[SUMS * j + k]!;
    return {
      ...centroids(sums, 2 ** (plan.depth - 1 - j)),
      ...chooser.choose(),
      signs: signPlanes.has(j),
    };
  });
  const { tileLog2, scale, threshold } = plan;
  return { tileLog2, scale, threshold, planes, nonzero: nonzeroChooser.choose().selection };
}

function encodeUnit(
  pass: Pass,
  state: TileState,
  tile: Tile,
  stream: StreamHeader,
  { patterns, layout }: Source,
  start: number,
): Uint8Array {
  if (pass.kind === 'plane') {
    return encodePlane(state, tile.planes[pass.plane]!, stream.planes[pass.plane]!);
  }
  if (pass.kind === 'signs') return encodeSigns(state, stream.threshold);
  const end = start + state.count;
  const own = patterns!.subarray(start, end);
  const finite = finitePatterns(own, layout!);
  const bits = encodeRemainder(
    { state, planes: tile.planes, layout: layout!, scale: stream.scale, selection: stream.nonzero },
    finite.patterns,
  );
  const exceptions = serializeExceptions(finite.places, own);
  const unit = new Uint8Array(exceptions.length + bits.length);
  unit.set(exceptions);
  unit.set(bits, exceptions.length);
  return unit;
}

/** The patterns with those of NaNs and infinities replaced by 0, and where those stood. */
function finitePatterns(patterns: Uint16Array | Uint32Array, { mantissaBits, exponentBits }: FloatLayout) {
  const special = 2 ** exponentBits - 1;
  const places: number[] = [];
  patterns.forEach((pattern, i) => {
    if (((pattern >>> mantissaBits) & special) === special) places.push(i);
  });
  if (places.length === 0) return { patterns, places };
  const finite = patterns.slice();
  for (const place of places) finite[place] = 0;
  return { patterns: finite, places };
}

function productsAfter(pass: Pass, { sums, energy }: Tile, stream: StreamHeader): Products {
  if (pass.kind === 'remainder') return { dot: energy, square: energy };
  const { plane } = pass;
  return productsOf(sums.subarray(SUMS * plane, SUMS * (plane + 1)), stream, plane, pass.kind === 'signs');
}
