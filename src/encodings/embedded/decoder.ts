import { FormatError } from '../../errors.js';
import { fromFloat32, toFloat32 } from '../../numbers.js';
import { checkOutputLength } from '../../outputLength.js';
import { viewBytes } from '../../views.js';
import type { DecodeRequest, EncodingQuality, FragmentDecoder } from '../encoding.js';
import { type ParsedFragment, parseFragment, type StreamHeader } from './format.js';
import { TensorState } from './tensorState.js';

/**
 * Fragment k refines what fragments 0 to k - 1 say. One that comes early is kept, and used when the gap closes; what
 * is reconstructed, and its quality, are those of the fragments in front of the first gap.
 */
export class EmbeddedDecoder implements FragmentDecoder {
  readonly #request: DecodeRequest;
  readonly #elements: number;
  /** Fragments that wait for one before them. */
  readonly #early = new Map<number, ParsedFragment>();
  #usable = 0;
  #state: TensorState | undefined;
  #cosine = 0;
  #relativeError = 1;

  constructor(request: DecodeRequest) {
    this.#request = request;
    this.#elements = request.rows * request.cols;
  }

  /**
   * @returns false when this fragment had been added before
   * @throws FormatError with the `fragmentIndex` of the fragment at fault, which counts as not added: it may be one
   *   that came earlier and could only now be looked into
   */
  addFragment(index: number, payload: Uint8Array): boolean {
    if (index < this.#usable || this.#early.has(index)) return false;
    if (index >= this.#request.fragments) {
      throw new FormatError('no such fragment', {
        fragmentIndex: index,
        expected: `below ${this.#request.fragments}`,
      });
    }
    naming(index, () => {
      const fragment = parseFragment(payload, index);
      if (fragment.elements !== this.#elements) {
        throw new FormatError('embedded fragment belongs to another tensor: elements', {
          expected: this.#elements,
          actual: fragment.elements,
        });
      }
      if (index === this.#usable) this.#use(index, fragment);
      // The caller may reuse its buffer.
      else this.#early.set(index, parseFragment(payload.slice(), index));
    });
    for (let next = this.#early.get(this.#usable); next; next = this.#early.get(this.#usable)) {
      this.#early.delete(this.#usable);
      const waiting = next;
      naming(this.#usable, () => this.#use(this.#usable, waiting));
    }
    return true;
  }

  get usableFragments(): number {
    return this.#usable;
  }

  get quality(): EncodingQuality {
    return {
      fraction: this.#usable / this.#request.fragments,
      cosine: this.#cosine,
      relativeError: this.#relativeError,
    };
  }

  reconstruct(out: Float32Array): void {
    checkOutputLength(out, this.#elements);
    const state = this.#state;
    if (state === undefined) {
      out.fill(0);
      return;
    }
    for (let tile = 0; tile < state.sequence.tiles; tile++) this.#reconstructTile(state, tile, out);
  }

  reconstructElements(out: Uint8Array): void {
    const { dtype } = this.#request;
    const values = new Float32Array(this.#elements);
    this.reconstruct(values);
    const rounded = viewBytes(fromFloat32(dtype, values));
    checkOutputLength(out, rounded.length);
    out.set(rounded);
    const patterns = this.#state?.patterns;
    if (patterns === undefined) return;
    // A NaN may change its payload on its way through numbers: finished tiles are copied as bits.
    const state = this.#state!;
    const bytes = patterns.BYTES_PER_ELEMENT;
    for (let tile = 0; tile < state.sequence.tiles; tile++) {
      if (!state.progress(tile).exact) continue;
      const { start, count } = state.sequence.range(tile);
      out.set(viewBytes(patterns.subarray(start, start + count)), start * bytes);
    }
  }

  #reconstructTile(state: TensorState, tile: number, out: Float32Array): void {
    const { start, count } = state.sequence.range(tile);
    const target = out.subarray(start, start + count);
    const { depth, exact } = state.progress(tile);
    if (exact) {
      const data = state.patterns!.subarray(start, start + count);
      const { dtype } = this.#request;
      const bits = dtype === 'F32' ? new Float32Array(data.buffer, data.byteOffset, count) : data;
      toFloat32({ dtype, shape: [count], data: bits }, { out: target });
    } else if (depth === 0) target.fill(0);
    else {
      const { planes, scale } = state.stream;
      const exponent = scale + planes.length - depth;
      this.#request.kernels.embedded.placeWeights(
        state.planes(tile, depth),
        state.tile(tile),
        planes[depth - 1]!,
        exponent,
        target,
      );
    }
  }

  #use(index: number, { first, units, stream, cosine, relativeError }: ParsedFragment): void {
    const state = this.#state ?? this.#begin(stream!);
    const end = state.units + units.length;
    const last = index === this.#request.fragments - 1;
    if (first !== state.units || end > state.sequence.length || (last && end !== state.sequence.length)) {
      throw new FormatError('embedded fragment does not continue the one before it: units', {
        expected: last ? `${state.units} to ${state.sequence.length}` : state.units,
        actual: `${first} to ${first + units.length}`,
      });
    }
    state.advance(units);
    this.#state = state;
    this.#usable = index + 1;
    this.#cosine = cosine;
    this.#relativeError = relativeError;
  }

  #begin(stream: StreamHeader): TensorState {
    return new TensorState(stream, this.#elements, this.#request.dtype, this.#request.kernels);
  }
}

/** Tells an error which fragment it is about. */
function naming(fragmentIndex: number, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (!(cause instanceof FormatError) || cause.fragmentIndex !== undefined) throw cause;
    const { offset, expected, actual } = cause;
    throw new FormatError(cause.what, { fragmentIndex, offset, expected, actual, cause });
  }
}
