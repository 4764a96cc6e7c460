import { finish, type Steps } from '../../async/steps.js';
import { type Cost, NO_COST } from '../../checks/limits.js';
import { placed } from '../../errors/placed.js';
import { FormatError, UnsupportedError } from '../../errors.js';
import { bitsPerElement, byteLengthOf } from '../../tensor/dtype.js';
import { checkOutput, viewBytes } from '../../tensor/tensor.js';
import type {
  DecodeRequest,
  Decoding,
  ElementRange,
  EncodingQuality,
  FragmentDecoder,
  TogetherAdded,
} from '../encoding.js';
import { isDtypeLoaded, numbersToElements } from '../otherDtypes.js';
import { floatLayout } from './elements.js';
import { type FragmentStart, parseFragmentStart, parseUnits } from './format.js';
import { MAX_TILE_LOG2, type StreamHeader } from './streamHeader.js';
import { TensorState } from './tensorState.js';
import { TileValues } from './tileValues.js';

/** Memory of a unit's view and of a tile's objects, about. */
const OBJECT_BYTES = 512;

/** Bytes that the scales of rows and columns take for each that they are stored in: a scale takes a bit at least. */
const SCALES_EXPANSION = 8 * 14;

/** Weights that are reconstructed in a step: a few milliseconds. */
const STEP_WEIGHTS = 2 ** 20;

interface UsedFragment extends Pick<FragmentStart, 'cosine'> {
  readonly payload: Uint8Array;
  /** Its first unit. */
  readonly first: number;
  /** Units, or parts of them, that came before. */
  readonly partsBefore: number;
}

/**
 * Fragment k refines fragments 0 to k - 1. One that arrives early is kept, and used when the gap closes. Reconstruction
 * and quality are those of the fragments before the first gap.
 */
export class EmbeddedDecoder implements FragmentDecoder {
  readonly #request: DecodeRequest<'embedded'>;
  readonly #elements: number;
  readonly #range: ElementRange;
  /** Elements of the range. */
  readonly #wanted: number;
  /** Fragments that wait for one before them. */
  readonly #early = new Map<number, Uint8Array>();
  /** Fragments 0, 1, … up to the first gap. */
  readonly #used: UsedFragment[] = [];
  readonly #values: TileValues;
  #state: TensorState | undefined;

  /** @throws UnsupportedError for integers and floats of eight bits before `loadDecodings` */
  constructor(request: DecodeRequest<'embedded'>) {
    if (!isDtypeLoaded(request.dtype)) {
      throw new UnsupportedError("Cannot decode a tensor yet: call await loadDecodings(['embedded']) first", {
        actual: request.dtype,
      });
    }
    this.#request = request;
    this.#elements = request.rows * request.cols;
    this.#range = request.range ?? { start: 0, end: this.#elements };
    this.#wanted = this.#range.end - this.#range.start;
    this.#values = new TileValues(request);
  }

  /** The state of every tile; a view of every unit and, unless it is stored uncoded, the bits of its plane. */
  costOfAdding(index: number, payload: Uint8Array): Cost {
    if (this.#has(index)) return NO_COST;
    return this.#costOf(index, payload, parseFragmentStart(payload, index), this.#state?.stream);
  }

  #costOf(index: number, payload: Uint8Array, start: FragmentStart, before: StreamHeader | undefined): Cost {
    const { count, stream = before } = start;
    const tileSize = 2 ** (stream?.tileLog2 ?? MAX_TILE_LOG2);
    const tiles = index === 0 ? Math.ceil(this.#wanted / tileSize) : 0;
    const scales = index === 0 ? SCALES_EXPANSION * (stream?.scales?.packed.length ?? 0) : 0;
    return {
      bytes: scales + tiles * (OBJECT_BYTES + 0.3 * tileSize) + count * (OBJECT_BYTES + tileSize / 8),
      steps: 2 * payload.length + (count * tileSize) / 8,
    };
  }

  /**
   * @param payload kept, and read again by every reconstruction: it must not be changed afterwards
   * @returns false when this fragment had been added before
   * @throws FormatError, UnsupportedError (another version), with the `fragmentIndex` of the fragment at fault, which counts
   *   as not added: it may be one that arrived earlier and could be decoded only now
   */
  addFragment(index: number, payload: Uint8Array): boolean {
    return finish(this.adding(index, payload));
  }

  *adding(index: number, payload: Uint8Array): Steps<boolean> {
    if (this.#has(index)) return false;
    if (index >= this.#request.fragments) {
      throw new FormatError('Cannot add the fragment: no such fragment', {
        fragmentIndex: index,
        expected: `below ${this.#request.fragments}`,
      });
    }
    yield* naming(index, this.#take(index, payload));
    for (let next = this.#early.get(this.#used.length); next; next = this.#early.get(this.#used.length)) {
      this.#early.delete(this.#used.length);
      yield* naming(this.#used.length, this.#take(this.#used.length, next));
    }
    return true;
  }

  /** Units of all of them are decoded together: of small tensors, calls take longer than their work. */
  together(payloads: readonly Uint8Array[]): TogetherAdded {
    // Here and below by `push`: arrays that `map` makes are others once it is optimized, and what reads them is compiled again.
    const starts: FragmentStart[] = [];
    const cost = { bytes: 0, steps: 0 };
    for (let index = 0; index < payloads.length; index++) {
      const payload = payloads[index]!;
      const start = this.#start(index, payload);
      starts.push(start);
      const { bytes, steps } = this.#costOf(index, payload, start, starts[0]!.stream);
      cost.bytes += bytes;
      cost.steps += steps;
    }
    return { cost, steps: this.#use(0, payloads, starts) };
  }

  *#take(index: number, payload: Uint8Array): Steps<void> {
    const start = this.#start(index, payload);
    if (index === this.#used.length) yield* this.#use(index, [payload], [start]);
    else this.#early.set(index, payload);
  }

  #start(index: number, payload: Uint8Array): FragmentStart {
    const start = parseFragmentStart(payload, index);
    const { elements = this.#elements } = start.stream ?? {};
    if (elements !== this.#elements) {
      throw new FormatError('Cannot add the fragment: it belongs to a tensor of another size', {
        expected: this.#elements,
        actual: elements,
      });
    }
    return start;
  }

  #has(index: number): boolean {
    return index < this.#used.length || this.#early.has(index);
  }

  get usableFragments(): number {
    return this.#used.length;
  }

  get quality(): EncodingQuality {
    const cosine = this.#used.at(-1)?.cosine ?? 0;
    return {
      fraction: this.#used.length / this.#request.fragments,
      cosine,
      // Weights are placed at means, where the error is perpendicular to what they make.
      relativeError: Math.sqrt((1 - cosine) * (1 + cosine)),
    };
  }

  costOfReconstructing(): Cost {
    // Integers are numbers first; the weights of a tile that are not in the order of the tensor have an array of their own.
    const numbers = floatLayout(this.#request.dtype) === undefined ? 5 * this.#wanted : 0;
    const sorted = this.#state === undefined || this.#state.order.isNatural ? 0 : 8 * 2 ** MAX_TILE_LOG2;
    return { bytes: numbers + sorted, steps: 8 * this.#wanted };
  }

  /** @throws FormatError as `reconstructElements` */
  reconstruct(out: Float32Array): void {
    finish(this.reconstructing(out));
  }

  *reconstructing(out: Float32Array): Steps<void> {
    checkOutput(out, this.#wanted);
    const state = this.#state;
    if (state === undefined) {
      out.fill(0);
      return;
    }
    yield* this.#forTiles(state, false, (tile, start, count) => {
      this.#values.writeNumbers(state, tile, out.subarray(start, start + count));
    });
  }

  /**
   * @throws FormatError with its `fragmentIndex` when a fragment that completes weights is corrupt: it is decoded only
   *   now, and then counts as not added
   */
  reconstructElements(out: Uint8Array): void {
    finish(this.reconstructingElements(out));
  }

  *reconstructingElements(out: Uint8Array, isLast = false): Steps<void> {
    const { dtype } = this.#request;
    checkOutput(out, byteLengthOf(dtype, this.#wanted), 'Uint8Array');
    const state = this.#state;
    if (floatLayout(dtype) === undefined) {
      const values = new Float32Array(this.#wanted);
      yield* this.reconstructing(values);
      out.set(viewBytes(numbersToElements(dtype, values)));
      return;
    }
    if (state === undefined) {
      out.fill(0);
      return;
    }
    const bytes = bitsPerElement(dtype) / 8;
    yield* this.#forTiles(state, isLast, (tile, start, count) => {
      this.#values.writeElements(state, tile, out.subarray(start * bytes, (start + count) * bytes));
    });
  }

  free(): void {
    this.#state?.free();
  }

  /** @param isLast frees of the state what no other tile needs */
  *#forTiles(
    state: TensorState,
    isLast: boolean,
    visit: (tile: number, start: number, count: number) => void,
  ): Steps<void> {
    yield* state.restore();
    const { firstTile, endTile, tileSize } = state.sequence;
    const stepTiles = STEP_WEIGHTS / tileSize;
    for (let tile = firstTile; tile < endTile; tile++) {
      if (tile > firstTile && (tile - firstTile) % stepTiles === 0) {
        if (isLast) state.free(tile - 1);
        yield;
      }
      const { start, count } = state.sequence.range(tile);
      try {
        visit(tile, start, count);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        const broken = yield* this.#forget(state, state.lastUnitOf(tile));
        throw placed(error, FormatError, { fragmentIndex: broken });
      }
    }
  }

  /** Drops the fragment with this unit. Those after it wait until it arrives again. */
  *#forget(state: TensorState, unit: number): Steps<number> {
    const index = this.#used.findLastIndex(({ first }) => first <= unit);
    const dropped = this.#used.splice(index);
    dropped.slice(1).forEach(({ payload }, k) => {
      this.#early.set(index + 1 + k, payload);
    });
    // Another first one may have another header.
    if (index === 0) this.#state = undefined;
    else yield* state.retreat(dropped[0]!.partsBefore);
    return index;
  }

  /** Takes fragments that follow those before: all of them, or none. */
  *#use(first: number, payloads: readonly Uint8Array[], starts: readonly FragmentStart[]): Steps<void> {
    const state =
      this.#state ?? new TensorState(starts[0]!.stream!, this.#elements, this.#range, this.#request);
    const before = state.parts;
    try {
      const used: UsedFragment[] = [];
      for (let i = 0; i < starts.length; i++) {
        used.push(this.#push(state, first + i, payloads[i]!, starts[i]!));
      }
      yield* state.decode();
      this.#state = state;
      for (const one of used) this.#used.push(one);
    } catch (error) {
      // A failed decode corrupts the state: rebuild it from the earlier units.
      yield* state.retreat(before);
      throw error;
    }
  }

  /** Gives the units of the next fragment to the state, which does not decode them yet. */
  #push(state: TensorState, index: number, payload: Uint8Array, start: FragmentStart): UsedFragment {
    const { groups, count, cosine } = start;
    const { fragments } = this.#request;
    const first = state.units;
    const end = first + count - (groups > 0 ? 1 : 0);
    const last = index === fragments - 1;
    const complete = end === state.sequence.length && groups === 0;
    if (first + count > state.sequence.length || (last && !complete)) {
      throw new FormatError('Cannot add the fragment: its units do not continue those before it', {
        expected: last
          ? `${first} to ${state.sequence.length}`
          : `at most ${state.sequence.length - first} units`,
        actual: `${first} to ${first + count}`,
      });
    }
    const partsBefore = state.parts;
    state.push(parseUnits(payload, start), groups);
    return { first, cosine, payload, partsBefore };
  }
}

/** The line for the table of decodings. */
export const embeddedDecoding: Decoding<object, 'embedded'> = {
  name: 'embedded',
  createDecoder: (request) => new EmbeddedDecoder(request),
};

/** Adds the fragment to errors of the steps. */
function* naming<T>(fragmentIndex: number, steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    const Kind = error instanceof UnsupportedError ? UnsupportedError : FormatError;
    throw placed(error, Kind, { fragmentIndex });
  }
}
