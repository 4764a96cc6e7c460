import type {
  Centroids,
  EmbeddedKernels,
  PlaneCoding,
  PlanesOfTile,
  PlaneUnit,
  TileState,
  TileUnit,
} from '../embedded.js';
import { GROUP, GROUP_BYTES } from '../portable/embedded/bitmapCode.js';
import { CENTROID_STEPS } from '../portable/embedded/placeWeights.js';
import { checkLength, checkSelection, DEPOSITS } from '../portable/embedded/planes.js';
import { loadCodes, loadInto, loadPlanes, loadState, storeState } from './embeddedMemory.js';
import type { WasmRuntime } from './runtime.js';

interface EmbeddedExports {
  decodeBitmap(
    stream: number,
    position: number,
    groups: number,
    counts: number,
    dense: number,
    bitmap: number,
    codes: number,
  ): number;
  decodePlane(
    unit: number,
    groups: number,
    significant: number,
    signs: number,
    counts: number,
    dense: number,
    plane: number,
    codes: number,
    deposits: number,
    apart: boolean,
  ): number;
  decodeSigns(
    unit: number,
    weights: number,
    groups: number,
    threshold: number,
    significant: number,
    signs: number,
    counts: number,
    dense: number,
    deposits: number,
  ): number;
  placeWeights(
    planes: number,
    stride: number,
    depth: number,
    groups: number,
    signs: number,
    dense: number,
    centroid: number,
    zeroCentroid: number,
    step: number,
    scratch: number,
    out: number,
  ): void;
  decodeMantissas(
    stream: number,
    position: number,
    planes: number,
    stride: number,
    depth: number,
    groups: number,
    signs: number,
    mantissaBits: number,
    scale: number,
    lowest: number,
    bytes: number,
    scratch: number,
    absent: number,
    out: number,
  ): number;
  decodeSmall(
    stream: number,
    position: number,
    absent: number,
    weights: number,
    dense: number,
    nonzero: number,
    signedZeros: boolean,
    mantissaBits: number,
    exponentBits: number,
    lowest: number,
    bytes: number,
    out: number,
  ): number;
}

/** The most that a group of a plane can take: 11 codes of 12 bits, 64 bits that were kept apart, 64 signs. */
const GROUP_UNIT_BYTES = 40;
/** The most that a weight of a remainder can take: two bits of bitmap and sign, an exponent, a mantissa. */
const WEIGHT_UNIT_BYTES = 8;
/** Kernels load eight bytes at once. */
const OVERREAD_BYTES = 16;
/** Working memory of the kernels that gather a group: 64 i32, 64 bytes, 16 bytes, 5 tables of 16 bytes. */
const SCRATCH_BYTES = 416;
const F32_BIAS = 127;

export function wasmEmbedded(runtime: WasmRuntime): EmbeddedKernels {
  const kernels = () => runtime.exports<EmbeddedExports>('embedded');

  return {
    decodePlanes(tiles, coding) {
      runtime.scope(() => {
        const codes = loadCodes(runtime, coding.selection, ({ lookup }) => lookup);
        const deposits = loadInto(runtime, DEPOSITS);
        for (const tile of tiles) runtime.scope(() => decodePlane(tile, coding, codes, deposits));
      });
    },
    decodeSigns(tiles, threshold) {
      runtime.scope(() => {
        const deposits = loadInto(runtime, DEPOSITS);
        for (const tile of tiles) runtime.scope(() => decodeSigns(tile, threshold, deposits));
      });
    },
    decodeRemainder: (bits, tile, out) => runtime.scope(() => decodeRemainder(bits, tile, out)),
    placeWeights: (...args) => runtime.scope(() => placeWeights(...args)),
  };

  function decodePlane(
    { unit, state, plane }: PlaneUnit,
    coding: PlaneCoding,
    codes: number,
    deposits: number,
  ): void {
    const groups = state.dense.length;
    checkSelection(coding.selection, state.counts, state.dense);
    const stream = loadUnit(runtime, unit, GROUP_UNIT_BYTES * groups);
    const at = loadState(runtime, state);
    const out = runtime.allocate(plane.length);
    const { significant, signs, counts, dense } = at;
    const { apart } = coding;
    checkLength(
      unit,
      kernels().decodePlane(stream, groups, significant, signs, counts, dense, out, codes, deposits, apart),
    );
    runtime.store(out, plane);
    storeState(runtime, at, state);
  }

  function decodeSigns({ unit, state }: TileUnit, threshold: number, deposits: number): void {
    const groups = state.dense.length;
    const stream = loadUnit(runtime, unit, GROUP_BYTES * groups);
    const at = loadState(runtime, state);
    const { significant, signs, counts, dense } = at;
    checkLength(
      unit,
      kernels().decodeSigns(
        stream,
        state.count,
        groups,
        threshold,
        significant,
        signs,
        counts,
        dense,
        deposits,
      ),
    );
    storeState(runtime, at, state);
  }

  function decodeRemainder(bits: Uint8Array, tile: PlanesOfTile, out: Uint16Array | Uint32Array): void {
    const { state, planes, layout, scale, selection } = tile;
    const groups = state.dense.length;
    const stride = state.signs.length;
    const stream = loadUnit(runtime, bits, WEIGHT_UNIT_BYTES * GROUP * groups);
    const codes = loadCodes(runtime, selection, ({ lookup }) => lookup);
    const counts = loadInto(runtime, state.counts);
    const dense = loadInto(runtime, state.dense);
    const signs = loadInto(runtime, state.signs);
    const bitmaps = loadPlanes(runtime, planes, stride);
    const scratch = runtime.allocate(SCRATCH_BYTES);
    const absent = runtime.allocate(stride);
    const patterns = runtime.allocate(GROUP * groups * out.BYTES_PER_ELEMENT);
    const nonzero = selection.length > 0 ? runtime.allocate(stride) : 0;
    const { decodeBitmap, decodeMantissas, decodeSmall } = kernels();
    let position = 0;
    if (nonzero !== 0) {
      checkSelection(selection, state.counts);
      position = decodeBitmap(stream, 0, groups, counts, 0, nonzero, codes);
    }
    const signedZeros = bitAt(bits, position);
    const { mantissaBits, exponentBits, bias } = layout;
    const bytes = out.BYTES_PER_ELEMENT;
    position = decodeMantissas(
      stream,
      position + 1,
      bitmaps,
      stride,
      planes.length,
      groups,
      signs,
      mantissaBits,
      2 ** (bias + scale - F32_BIAS),
      bias + scale,
      bytes,
      scratch,
      absent,
      patterns,
    );
    position = decodeSmall(
      stream,
      position,
      absent,
      state.count,
      dense,
      nonzero,
      signedZeros,
      mantissaBits,
      exponentBits,
      bias + scale,
      bytes,
      patterns,
    );
    checkLength(bits, Math.ceil(position / 8));
    runtime.store(patterns, out);
  }

  function placeWeights(
    planes: readonly Uint8Array[],
    state: TileState,
    { centroid, zeroCentroid }: Centroids,
    exponent: number,
    out: Float32Array,
  ): void {
    const groups = state.dense.length;
    const stride = state.signs.length;
    const signs = loadInto(runtime, state.signs);
    const dense = loadInto(runtime, state.dense);
    const bitmaps = loadPlanes(runtime, planes, stride);
    const scratch = runtime.allocate(SCRATCH_BYTES);
    const values = runtime.allocate(GROUP * groups * Float32Array.BYTES_PER_ELEMENT);
    kernels().placeWeights(
      bitmaps,
      stride,
      planes.length,
      groups,
      signs,
      dense,
      centroid,
      zeroCentroid,
      2 ** exponent / CENTROID_STEPS,
      scratch,
      values,
    );
    runtime.store(values, out);
  }
}

/** @param largest more than any sound unit takes: a longer one is not looked at; what it is too short for is read */
function loadUnit(runtime: WasmRuntime, unit: Uint8Array, largest: number): number {
  if (unit.length > largest + OVERREAD_BYTES) checkLength(unit, largest);
  const stream = runtime.allocate(largest + 2 * OVERREAD_BYTES);
  runtime.load(unit, stream);
  return stream;
}

function bitAt(bytes: Uint8Array, position: number): boolean {
  return (((bytes[position >> 3] ?? 0) >> (position & 7)) & 1) === 1;
}
