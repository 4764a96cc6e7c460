import type { RowPart, TileState } from '../../kernels/embedded/interface.js';
import { GROUP, GROUP_BYTES, groupsOf, inOrder } from '../../kernels/embedded/tile.js';
import type { DType } from '../../tensor/dtype.js';
import { halfToFloat32 } from '../../tensor/float.js';
import type { Float8Type } from '../../tensor/float8.js';
import { viewBytes } from '../../tensor/tensor.js';
import type { DecodeRequest } from '../encoding.js';
import { numbersToElements, otherDtypes } from '../otherDtypes.js';
import { floatLayout, patternArray, patternView } from './elements.js';
import { MAX_TILE_LOG2, type StreamHeader } from './streamHeader.js';
import type { TensorState } from './tensorState.js';

/** Planes of a tile, or of some of its groups, and its state. */
interface KnownWeights {
  readonly planes: readonly Uint8Array[];
  readonly state: TileState;
}

function partOf({ planes, state }: KnownWeights, from: number, to: number): KnownWeights {
  return {
    planes: planes.map((plane) => plane.subarray(GROUP_BYTES * from, GROUP_BYTES * to)),
    state: groupsOf(state, from, to),
  };
}

/** Only these are tapered. Not `isFloat8` of their conversions, which most pages do not load. */
function isFloat8(dtype: DType): dtype is Float8Type {
  return floatLayout(dtype)?.tapered === true;
}

/** What a tile holds, as numbers or as elements: of exact weights their own bits, of others the best that the planes allow. */
export class TileValues {
  readonly #request: DecodeRequest<'embedded'>;
  #patterns: Uint16Array | undefined;

  constructor(request: DecodeRequest<'embedded'>) {
    this.#request = request;
  }

  /** @throws FormatError when a fragment that completes weights is corrupt, as by `writeElements` */
  writeNumbers(state: TensorState, tile: number, out: Float32Array): void {
    const { dtype, kernels } = this.#request;
    if (!state.progress(tile).exact) {
      this.#place(state, tile, out);
    } else if (dtype === 'F16') {
      const { halfToFloat32: widen = halfToFloat32 } = kernels;
      widen(this.#readPatterns(state, tile, out.length), out);
    } else if (isFloat8(dtype)) {
      otherDtypes().float8ToFloat32(dtype, this.#readFloat8(state, tile, out.length), out);
    } else {
      // As bits, because a NaN may change its payload when it passes through numbers.
      state.readPatterns(tile, new Uint32Array(out.buffer, out.byteOffset, out.length));
    }
  }

  /** For dtypes with a layout of floats. */
  writeElements(state: TensorState, tile: number, out: Uint8Array): void {
    const { dtype } = this.#request;
    const { count } = state.sequence.range(tile);
    if (!state.progress(tile).exact) {
      const values = new Float32Array(count);
      this.#place(state, tile, values);
      out.set(viewBytes(numbersToElements(dtype, values)));
    } else if (isFloat8(dtype)) {
      out.set(this.#readFloat8(state, tile, count));
    } else {
      const layout = floatLayout(dtype)!;
      const patterns = patternView(layout, out) ?? patternArray(layout, count);
      state.readPatterns(tile, patterns);
      if (patterns.buffer !== out.buffer) out.set(viewBytes(patterns));
    }
  }

  #readFloat8(state: TensorState, tile: number, count: number): Uint8Array {
    const { dtype } = this.#request;
    const patterns = this.#readPatterns(state, tile, count);
    return otherDtypes().float8Elements(dtype as Float8Type, floatLayout(dtype)!, patterns);
  }

  /** Overwritten by the next call. */
  #readPatterns(state: TensorState, tile: number, count: number): Uint16Array {
    this.#patterns ??= new Uint16Array(2 ** MAX_TILE_LOG2);
    const patterns = this.#patterns.subarray(0, count);
    state.readPatterns(tile, patterns);
    return patterns;
  }

  #place(state: TensorState, tile: number, out: Float32Array): void {
    const { begun, ...known } = state.tile(tile);
    const parts = state.rowParts(tile);
    if (begun === undefined) {
      this.#placeWeights(state.stream, known, out, parts);
      return;
    }
    const more = { planes: [...known.planes, begun.plane], state: known.state };
    inOrder(parts, out, (sorted) => {
      const end = GROUP * begun.groups;
      this.#placeWeights(state.stream, partOf(more, 0, begun.groups), sorted.subarray(0, end), undefined);
      const rest = partOf(known, begun.groups, known.state.groups);
      this.#placeWeights(state.stream, rest, sorted.subarray(end), undefined);
    });
  }

  #placeWeights(
    { planes, scale }: StreamHeader,
    known: KnownWeights,
    out: Float32Array,
    parts: readonly RowPart[] | undefined,
  ): void {
    const depth = known.planes.length;
    if (depth === 0) {
      out.fill(0);
      return;
    }
    const place = { ...planes[depth - 1]!, exponent: scale + planes.length - depth };
    this.#request.kernels.embedded.placeWeights(known.planes, known.state, place, out, parts);
  }
}
