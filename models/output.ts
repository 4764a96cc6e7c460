import type { Steps } from '../src/async/steps.js';
import { uncleared } from '../src/bytes/room.js';
import { callback, check, oneOf, type Rules } from '../src/checks/options.js';
import { ArgumentError } from '../src/errors.js';
import { type CommonFloat, commonElements } from '../src/tensor/commonFloats.js';
import { byteLengthOf, type DType, elementCount } from '../src/tensor/dtype.js';
import {
  type Float16ArrayLike,
  type Tensor,
  type TensorData,
  TYPED_ARRAY,
  viewBytes,
  viewElements,
} from '../src/tensor/tensor.js';
import type { LoadableTensor } from './inputs/content.js';

/** The most that anything incomplete has: a cosine may round to 1 before. */
export const BELOW_ONE = 1 - Number.EPSILON / 2;

/** The arrays of loaded tensors of floating-point numbers, by the option `as`. */
export interface OutputArrays {
  readonly F32: Float32Array;
  readonly F16: Float16ArrayLike | Uint16Array;
  readonly BF16: Uint16Array;
  readonly source: TensorData;
}

/** Element type of loaded arrays, see {@link OutputOptions}. */
export type OutputType = keyof OutputArrays;

/** A tensor as it is returned. */
export interface OutputTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** As what tensors are given out, and into which memory. */
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
  /** True cosine similarity with the original. With `out`, of what is in that memory now. */
  readonly cosine: number;
  /** Nothing is missing. With `out`, in what is in that memory now. */
  readonly complete: boolean;
}

/** Elements that are converted in a step: some milliseconds. */
const STEP_ELEMENTS = 2 ** 20;

/** Bytes that are copied in a step. */
const STEP_BYTES = 2 ** 22;

const FLOATS: readonly string[] = ['F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2'];

/** Floating-point dtypes that only safetensors has, and that are converted. */
const OTHER_FLOATS = /^F(64|8_E[45]M[23]FNUZ)/;

/** Element type of what is read of a tensor. */
export function outputDtype({ dtype }: Pick<LoadableTensor, 'dtype'>, as: OutputType): string {
  return as === 'source' || !(FLOATS.includes(dtype) || OTHER_FLOATS.test(dtype)) ? dtype : as;
}

/** Bytes of a loaded tensor: its own elements, and those of an array of another type. */
export function loadedBytes(tensor: LoadableTensor, as: OutputType = 'F32'): number {
  const dtype = outputDtype(tensor, as);
  return tensor.byteLength + (dtype === tensor.dtype ? 0 : outputBytes(tensor, dtype));
}

/** Bytes of a tensor's elements as this type. */
export function outputBytes({ dtype: own, shape, byteLength }: LoadableTensor, dtype: string): number {
  return dtype === own ? byteLength : byteLengthOf(dtype as DType, elementCount(shape));
}

/** @throws ArgumentError for memory that is no typed array, or of another length */
export function checkMemory(out: unknown, name: string, byteLength: number): void {
  check('out', out, TYPED_ARRAY);
  const { byteLength: actual } = out as ArrayBufferView;
  if (actual === byteLength) return;
  throw new ArgumentError('Cannot load the tensor into the memory of the option out: wrong length', {
    name,
    expected: `${byteLength} bytes`,
    actual,
  });
}

/** Both dtypes have whole bytes. In steps, numbers of four bytes are not held for the whole tensor. */
export function* converted(
  { dtype: from, shape, data }: Tensor,
  dtype: CommonFloat,
  toNumbers: (tensor: Tensor, out?: Float32Array) => Float32Array,
): Steps<TensorData> {
  const elements = elementCount(shape);
  const source = viewBytes(data);
  const out = uncleared(byteLengthOf(dtype, elements));
  for (let start = 0; start < elements; start += STEP_ELEMENTS) {
    const end = Math.min(start + STEP_ELEMENTS, elements);
    // Whole bytes of an element first: a place times all bytes may be no safe integer.
    const at = (place: number, bytes: Uint8Array) => place * (bytes.length / elements);
    const part = viewElements(from, source.subarray(at(start, source), at(end, source)));
    const target = dtype === 'F32' ? new Float32Array(out.buffer, 4 * start, end - start) : undefined;
    const numbers = toNumbers({ dtype: from, shape: [end - start], data: part }, target);
    if (numbers !== target) out.set(viewBytes(commonElements(dtype, numbers)), at(start, out));
    yield;
  }
  return viewElements(dtype, out);
}

/** Copies bytes. In steps, because memory that is new to the process takes longer than the copy. */
export function* copied(from: Uint8Array, to: Uint8Array): Steps<void> {
  for (let start = 0; start < from.length; start += STEP_BYTES) {
    to.set(from.subarray(start, start + STEP_BYTES), start);
    yield;
  }
}
