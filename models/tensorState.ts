import { inTurns, oneStep, type Steps } from '../src/async/steps.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { allocating, type Budget } from '../src/checks/limits.js';
import { callback, check, oneOf, type Rules } from '../src/checks/options.js';
import { ArgumentError } from '../src/errors.js';
import { byteLengthOf, type DType, elementCount } from '../src/tensor/dtype.js';
import { fromFloat32, storedToFloat32 } from '../src/tensor/numbers.js';
import {
  asFloat16,
  type Float16ArrayLike,
  type Tensor,
  type TensorData,
  TYPED_ARRAY,
  viewBytes,
  viewElements,
} from '../src/tensor/tensor.js';
import type { WorkerPool } from '../workers/pool.js';
import type { LoadableTensor, PieceDecoder } from './inputs/content.js';

/** The arrays of loaded tensors of floating-point numbers, by the option `as`. */
export interface OutputArrays {
  readonly F32: Float32Array;
  readonly F16: Float16ArrayLike | Uint16Array;
  readonly BF16: Uint16Array;
  readonly source: TensorData;
}

/** Element type of loaded arrays, see {@link OutputOptions}. */
export type OutputType = keyof OutputArrays;

/** A tensor as it is given out. */
export interface OutputTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface OutputOptions<A extends OutputType = OutputType> {
  /**
   * Element type of the arrays: numbers ('F32'), half-precision ('F16': a Float16Array where the engine has it, else
   * bit patterns), bfloat16 bit patterns ('BF16'), or the tensor's own ('source'). Tensors that are not floating-point
   * always have their own, and so have F4, F6 and F8_E8M0. Default 'F32'.
   */
  readonly as?: A | undefined;
  /**
   * The caller's memory for a tensor, such as a view of a wasm heap, of a SharedArrayBuffer or of one flat buffer: a typed array with
   * as many bytes as its elements, which becomes the `data` of the tensor. It is asked for each time that the tensor is given out, and
   * better numbers overwrite those before. Undefined: an array of the tensor's own. Default: none.
   */
  readonly out?: ((tensor: OutputTensor) => TensorData | Float16ArrayLike | undefined) | undefined;
  /**
   * 'transposed': tensors of two dimensions, [rows, columns], become [columns, rows], as runtimes want them that multiply from the
   * right; others stay as they are, and so do elements that share bytes (F4, F6). Default 'source'.
   */
  readonly layout?: 'source' | 'transposed' | undefined;
}

export const OUTPUT_RULES: Rules<OutputOptions> = {
  as: /* @__PURE__ */ oneOf(['F32', 'F16', 'BF16', 'source']),
  out: callback,
  layout: /* @__PURE__ */ oneOf(['source', 'transposed']),
};

/** A tensor as far as it is loaded. */
export interface LoadedTensor<A extends OutputType = 'F32'> {
  readonly name: string;
  /** Type of the elements in `data`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /**
   * As the option `as` says. The type leaves out one exception: tensors that are not floating-point have their own
   * `dtype`, such as an I64 in a BigInt64Array, as with 'source'.
   */
  readonly data: OutputArrays[A];
  /** True cosine similarity with the original. */
  readonly cosine: number;
  /** Nothing is missing. */
  readonly complete: boolean;
}

/** Elements that are converted in a step: some milliseconds. */
const STEP_ELEMENTS = 2 ** 20;

/** Rows and columns that are transposed together. */
const TURN = 64;

const FLOATS: readonly string[] = ['F32', 'F16', 'BF16'];

/** Floating-point dtypes that only safetensors has, and that are converted. */
const OTHER_FLOATS = /^F(64|8_E[45]M[23])/;

function outputDtype({ dtype }: LoadableTensor, as: OutputType): string {
  return as === 'source' || !(FLOATS.includes(dtype) || OTHER_FLOATS.test(dtype)) ? dtype : as;
}

/** Bytes of a loaded tensor: its own elements, and those of an array of another type. */
export function loadedBytes(tensor: LoadableTensor, as: OutputType = 'F32'): number {
  const dtype = outputDtype(tensor, as);
  return tensor.byteLength + (dtype === tensor.dtype ? 0 : outputBytes(tensor, dtype));
}

function outputBytes({ dtype: own, shape, byteLength }: LoadableTensor, dtype: string): number {
  return dtype === own ? byteLength : byteLengthOf(dtype as DType, elementCount(shape));
}

interface DecodeOptions extends AbortOptions {
  readonly budget: Budget;
  readonly pool: WorkerPool | undefined;
}

/** The loaded part of one tensor. It outlives loads, so no piece is fetched twice. */
export class TensorState {
  readonly tensor: LoadableTensor;
  /** How many pieces have been decoded, from the first on. */
  #taken = 0;
  /** Pieces that arrived before their predecessors, by parallel requests. */
  readonly #early = new Map<number, Uint8Array>();
  /** Settles when all pieces so far have been decoded. */
  #taking: Promise<void> = Promise.resolve();
  #decoder: PieceDecoder | undefined;
  /** The whole tensor once it is complete; the decoder is released then. */
  #complete: Tensor | undefined;
  #cosine = 0;
  /** Of elements of {@link OTHER_FLOATS}. */
  #toNumbers: ((tensor: Tensor) => Float32Array) | undefined;

  constructor(tensor: LoadableTensor) {
    this.tensor = tensor;
  }

  get cosine(): number {
    return this.#cosine;
  }

  get complete(): boolean {
    return this.#complete !== undefined;
  }

  /** Whether this piece need not be fetched. */
  has(piece: number): boolean {
    return piece < this.#taken || this.#early.has(piece);
  }

  /** Decodes a piece; one that arrives too early waits for its predecessors. */
  add(piece: number, bytes: Uint8Array, options: DecodeOptions): Promise<void> {
    this.#early.set(piece, bytes);
    const taken = this.#taking.then(() => this.#takeAll(options));
    this.#taking = taken.catch(() => {});
    return taken;
  }

  async #takeAll(options: DecodeOptions): Promise<void> {
    for (let bytes = this.#early.get(this.#taken); bytes !== undefined; ) {
      this.#early.delete(this.#taken);
      await this.#take(this.#taken, bytes, options);
      this.#taken += 1;
      bytes = this.#early.get(this.#taken);
    }
  }

  async #take(piece: number, bytes: Uint8Array, { pool, budget, signal }: DecodeOptions): Promise<void> {
    const decoder = this.#decoder ?? (await this.tensor.createDecoder(budget, pool));
    if (OTHER_FLOATS.test(this.tensor.dtype)) {
      this.#toNumbers ??= (await import('./otherNumbersOnDemand.js')).otherToFloat32;
    }
    await decoder.add(piece, bytes, { signal });
    // Not before: a first piece that is refused may come again, with other limits.
    this.#decoder = decoder;
    await this.#update(signal);
  }

  /**
   * Waits for the pieces under way, and decodes all that were added.
   * @returns false where it waits for pieces of other tensors
   */
  async settle(options: AbortOptions): Promise<boolean> {
    await this.#taking;
    const settled = await this.#decoder?.settle?.(options);
    await this.#update(options.signal);
    return settled !== false;
  }

  async #update(signal: AbortSignal | undefined): Promise<void> {
    const decoder = this.#decoder;
    if (decoder === undefined) return;
    if (decoder.complete) {
      this.#complete = await inTurns(decoder.reconstructingTensor(), signal);
      this.#decoder = undefined;
    }
    this.#cosine = decoder.cosine;
  }

  /** The tensor at its current quality; undefined before its first numbers. */
  async read<A extends OutputType = 'F32'>(
    options: OutputOptions<A> & AbortOptions,
  ): Promise<LoadedTensor<A> | undefined> {
    return inTurns(this.#reading(options), options.signal);
  }

  *#reading<A extends OutputType = 'F32'>(options: OutputOptions<A>): Steps<LoadedTensor<A> | undefined> {
    const { as = 'F32', out: memoryFor, layout } = options;
    if (this.#complete === undefined && this.#cosine === 0) return undefined;
    const { name } = this.tensor;
    const { cosine, complete } = this;
    const dtype = outputDtype(this.tensor, as);
    const [rows = 0, columns = 0] = this.tensor.shape;
    const turned = layout === 'transposed' && this.tensor.shape.length === 2 && !/^F[46]/.test(dtype);
    const shape = turned ? [columns, rows] : this.tensor.shape;
    const out = memoryFor?.({ name, dtype, shape });
    if (out !== undefined) checkMemory(out, name, outputBytes(this.tensor, dtype));
    let data = yield* this.#elements(dtype as DType, turned ? undefined : out);
    if (turned) data = yield* transposed(data, rows, columns);
    if (out !== undefined && out !== data) viewBytes(out as ArrayBufferView).set(viewBytes(data));
    const half = as === 'F16' && dtype === 'F16';
    const typed = (out ?? (half ? asFloat16(data as Uint16Array) : data)) as OutputArrays[A];
    return { name, dtype, shape, data: typed, cosine, complete };
  }

  /** @param out may be filled, and is then what is returned */
  *#elements(dtype: DType, out: unknown): Steps<TensorData> {
    const whole = this.#complete;
    if (whole?.dtype === dtype) return whole.data;
    if (whole !== undefined) {
      return yield* converted(whole, dtype, this.#toNumbers ?? storedNumbers);
    }
    // Another piece may complete the tensor meanwhile.
    const decoder = this.#decoder!;
    if (dtype === 'F32') {
      const target = out instanceof Float32Array ? out : undefined;
      const numbers = yield* decoder.reconstructing?.(target) ?? oneStep(() => {});
      if (numbers !== undefined) return numbers;
    }
    const best = (yield* decoder.reconstructingTensor())!;
    return best.dtype === dtype ? best.data : yield* converted(best, dtype, storedNumbers);
  }
}

/** @throws ArgumentError for memory that is no typed array, or of another length */
function checkMemory(out: unknown, name: string, byteLength: number): void {
  check('out', out, TYPED_ARRAY);
  const { byteLength: actual } = out as ArrayBufferView;
  if (actual === byteLength) return;
  throw new ArgumentError('Cannot load the tensor into the memory of the option out: wrong length', {
    name,
    expected: `${byteLength} bytes`,
    actual,
  });
}

function storedNumbers(tensor: Tensor): Float32Array {
  return storedToFloat32({ ...tensor, dtype: tensor.dtype as DType });
}

/** Both dtypes have whole bytes. In steps, numbers of four bytes are not held for the whole tensor. */
function* converted(
  { dtype: from, shape, data }: Tensor,
  dtype: DType,
  toNumbers: (tensor: Tensor) => Float32Array,
): Steps<TensorData> {
  const elements = elementCount(shape);
  const source = viewBytes(data);
  const out = allocating(() => new Uint8Array(byteLengthOf(dtype, elements)));
  for (let start = 0; start < elements; start += STEP_ELEMENTS) {
    const end = Math.min(start + STEP_ELEMENTS, elements);
    const at = (place: number, bytes: Uint8Array) => (place * bytes.length) / elements;
    const part = viewElements(from, source.subarray(at(start, source), at(end, source)));
    const numbers = toNumbers({ dtype: from, shape: [end - start], data: part });
    out.set(viewBytes(fromFloat32(dtype, numbers)), at(start, out));
    yield;
  }
  return viewElements(dtype, out);
}

/** The elements of a matrix, column by column. In steps. */
function* transposed(data: TensorData, rows: number, columns: number): Steps<TensorData> {
  const source = data as Float32Array;
  const out = allocating(() => new (source.constructor as typeof Float32Array)(source.length));
  // Squares, so that neither side leaves the processor's caches.
  for (let row = 0; row < rows; row += TURN) {
    for (let column = 0; column < columns; column += TURN) {
      const [lastRow, lastColumn] = [Math.min(row + TURN, rows), Math.min(column + TURN, columns)];
      for (let r = row; r < lastRow; r++)
        for (let c = column; c < lastColumn; c++) out[c * rows + r] = source[r * columns + c]!;
    }
    yield;
  }
  return out as TensorData;
}
