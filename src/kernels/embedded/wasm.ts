import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import type { EmbeddedKernels, RowPart, TileState } from './interface.js';
import {
  CENTROID_STEPS,
  CLASS_OF,
  checkLength,
  checkSelection,
  completeFrom,
  GROUP,
  GROUP_BYTES,
} from './tile.js';
import { loadLookups } from './wasm/codeTables.js';
import { EMBEDDED_WASM } from './wasm/embedded.generated.js';
import type { EmbeddedExports } from './wasm/exports.js';
import { loadInto, loadPlanes, loadState, loadUnit, SPREADS } from './wasm/memory.js';
import { wasmEmbeddedSteps } from './wasm/steps.js';

/** The most bytes of a weight in a remainder: two bits of bitmap and sign, an exponent, a mantissa. */
const WEIGHT_UNIT_BYTES = 8;
/** Bytes of working memory of the kernels that gather groups: 912, 16 of lengths, 9 tables of 16. */
const SCRATCH_BYTES = 1072;
const F32_BIAS = 127;

export const wasmEmbedded: WasmSubject<{ readonly embedded: EmbeddedKernels }> = {
  modules: { embedded: EMBEDDED_WASM },
  link: (runtime) => ({ embedded: link(runtime) }),
};

function link(runtime: WasmRuntime): EmbeddedKernels {
  const kernels = () => runtime.exports<EmbeddedExports>('embedded');

  return {
    decodeSteps: wasmEmbeddedSteps(runtime),
    decodeRemainder: (...args) => runtime.scope(() => decodeRemainder(...args)),
    placeWeights: (...args) => runtime.scope(() => placeWeights(...args)),
  };

  function decodeRemainder(
    ...[bits, tile, out, parts]: Parameters<EmbeddedKernels['decodeRemainder']>
  ): void {
    const { state, planes, layout, scale, selection } = tile;
    const { groups } = state;
    const stride = GROUP_BYTES * groups;
    const marks = selection.length > 0;
    if (marks) checkSelection(selection, state.counts);
    const spreads = marks ? runtime.keep(SPREADS) : 0;
    const codes = marks ? loadLookups(runtime, { selection, fixed: undefined }) : 0;
    const stream = loadUnit(runtime, bits, WEIGHT_UNIT_BYTES * GROUP * groups);
    const { dense, signs } = loadState(runtime, state);
    const bitmaps = loadPlanes(runtime, planes, stride);
    const scratch = runtime.allocate(SCRATCH_BYTES);
    const absent = runtime.allocate(stride);
    const patterns = runtime.allocate(GROUP * groups * out.BYTES_PER_ELEMENT);
    const nonzero = marks ? runtime.allocate(stride) : 0;
    const { decodeBitmap, decodeMantissas, decodeSmall } = kernels();
    let position = 0;
    if (marks) {
      const list = listGroups(state);
      position = decodeBitmap(stream, list, groups, nonzero, codes, spreads, scratch);
    }
    const signedZeros = bitAt(bits, position);
    const { mantissaBits, exponentBits, bias, tapered = false } = layout;
    const bytes = out.BYTES_PER_ELEMENT;
    position = decodeMantissas(
      stream,
      position + 1,
      bitmaps.address,
      bitmaps.stride,
      planes.length,
      groups,
      signs,
      mantissaBits,
      2 ** (bias + scale - F32_BIAS),
      completeFrom(layout, bias + scale),
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
      tapered,
      bias + scale,
      bytes,
      patterns,
    );
    checkLength(bits, Math.ceil(position / 8));
    store(patterns, out, parts);
  }

  /** All groups with their final classes. In a loop, because `Uint32Array.from` takes longer than the kernel that reads them. */
  function listGroups({ counts, groups }: TileState): number {
    const address = runtime.allocate(groups * Uint32Array.BYTES_PER_ELEMENT);
    const list = runtime.words(address, groups);
    for (let group = 0; group < groups; group++) list[group] = (CLASS_OF[counts[group]!]! << 16) | group;
    return address;
  }

  function placeWeights(
    ...[planes, state, place, out, parts]: Parameters<EmbeddedKernels['placeWeights']>
  ): void {
    const { centroid, zeroCentroid, exponent } = place;
    const { groups } = state;
    const { signs, dense } = loadState(runtime, state);
    const bitmaps = loadPlanes(runtime, planes, GROUP_BYTES * groups);
    const scratch = runtime.allocate(SCRATCH_BYTES);
    const values = runtime.allocate(GROUP * groups * Float32Array.BYTES_PER_ELEMENT);
    kernels().placeWeights(
      bitmaps.address,
      bitmaps.stride,
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
    store(values, out, parts);
  }

  /** What has been decoded in the order of the tile. */
  function store(
    sorted: number,
    out: Uint16Array | Uint32Array | Float32Array,
    parts: readonly RowPart[] | undefined,
  ): void {
    if (parts === undefined) {
      runtime.store(sorted, out);
      return;
    }
    const to = runtime.allocate(out.byteLength);
    const { restoreLong, restoreShort } = kernels();
    const bytes = out.BYTES_PER_ELEMENT;
    const restore = bytes === 4 ? restoreLong : restoreShort;
    // Whole rows have the same columns.
    let loaded: Uint32Array | undefined;
    let address = 0;
    let from = sorted;
    for (const { first, columns } of parts) {
      if (columns !== loaded) address = loadInto(runtime, columns);
      loaded = columns;
      restore(from, address, columns.length, to + first * bytes);
      from += columns.length * bytes;
    }
    runtime.store(to, out);
  }
}

function bitAt(bytes: Uint8Array, position: number): boolean {
  return (((bytes[position >> 3] ?? 0) >> (position & 7)) & 1) === 1;
}
