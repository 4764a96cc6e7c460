import { halfToFloat32 } from '../../tensor/float.js';
import { float8ToFloat32, isFloat8 } from '../../tensor/float8.js';
import { fromFloat32 } from '../../tensor/numbers.js';
import { viewBytes } from '../../tensor/tensor.js';
import type { DecodeRequest } from '../encoding.js';
import { floatLayout, patternArray, patternView } from './elements.js';
import { float8Elements } from './float8.js';
import { MAX_TILE_LOG2 } from './format.js';
import type { TensorState } from './tensorState.js';

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
      float8ToFloat32(dtype, float8Elements(dtype, this.#readPatterns(state, tile, out.length)), out);
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
      out.set(viewBytes(fromFloat32(dtype, values)));
    } else if (isFloat8(dtype)) {
      out.set(float8Elements(dtype, this.#readPatterns(state, tile, count)));
    } else {
      const layout = floatLayout(dtype)!;
      const patterns = patternView(layout, out) ?? patternArray(layout, count);
      state.readPatterns(tile, patterns);
      if (patterns.buffer !== out.buffer) out.set(viewBytes(patterns));
    }
  }

  /** Overwritten by the next call. */
  #readPatterns(state: TensorState, tile: number, count: number): Uint16Array {
    this.#patterns ??= new Uint16Array(2 ** MAX_TILE_LOG2);
    const patterns = this.#patterns.subarray(0, count);
    state.readPatterns(tile, patterns);
    return patterns;
  }

  #place(state: TensorState, tile: number, out: Float32Array): void {
    const { depth } = state.progress(tile);
    if (depth === 0) {
      out.fill(0);
      return;
    }
    const { planes, scale } = state.stream;
    const exponent = scale + planes.length - depth;
    const place = { ...planes[depth - 1]!, exponent };
    this.#request.kernels.embedded.placeWeights(
      state.planes(tile),
      state.tile(tile),
      place,
      out,
      state.parts(tile),
    );
  }
}
