import { inTurns } from '../src/async/steps.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { DType } from '../src/tensor/dtype.js';
import { asFloat16, viewBytes } from '../src/tensor/tensor.js';
import type { DecodedTensor } from './decodedTensor.js';
import type { HeldMemory } from './heldMemory.js';
import {
  checkMemory,
  copied,
  type LoadedTensor,
  type OutputArrays,
  type OutputOptions,
  type OutputType,
  outputBytes,
  outputDtype,
} from './output.js';

/**
 * The tensor as it is now, in the dtype, layout and memory that are asked for.
 * @param memory what the tensor has written into the caller's
 */
export async function readOutput<A extends OutputType = 'F32'>(
  decoded: DecodedTensor,
  memory: HeldMemory,
  { as, out: memoryFor, layout, signal }: OutputOptions<A> & AbortOptions,
): Promise<LoadedTensor<A>> {
  const { tensor } = decoded;
  const { name } = tensor;
  const dtype = outputDtype(tensor, as ?? 'F32');
  const [rows = 0, columns = 0] = tensor.shape;
  const turned = layout === 'transposed' && tensor.shape.length === 2 && !/^F(4|6_)/.test(dtype);
  const shape = turned ? [columns, rows] : tensor.shape;
  const out = memoryFor?.({ name, dtype, shape });
  if (out !== undefined) checkMemory(out, name, outputBytes(tensor, dtype));
  let data = await decoded.elements(dtype as DType, turned ? undefined : out, signal);
  // The worker may have had more than it had said, before an abort.
  const { cosine } = decoded;
  const complete = decoded.whole !== undefined;
  if (turned) {
    const { transposed } = await import('./transposed.js');
    data = await inTurns(transposed(data, rows, columns), signal);
  }
  if (out !== undefined && out !== data) {
    await inTurns(copied(viewBytes(data), viewBytes(out as ArrayBufferView)), signal);
  }
  const typed = (out ?? halves(as, dtype, data)) as OutputArrays[A];
  if (out === undefined) return { name, dtype, shape, data: typed, cosine, complete };
  const held = memory.hold(out as ArrayBufferView, { cosine, complete });
  return {
    ...{ name, dtype, shape, data: typed },
    // Better numbers overwrite those of every tensor that was given out in this memory.
    get cosine() {
      return held.cosine;
    },
    get complete() {
      return held.complete;
    },
  };
}

/** The same where that takes no work: the tensor is complete, and has the elements that are asked for. */
export function completeOutput<A extends OutputType>(
  { tensor, whole, cosine }: DecodedTensor,
  { as, out, layout }: OutputOptions<A>,
): LoadedTensor<A> | undefined {
  const isAsAsked = whole?.dtype === outputDtype(tensor, as ?? 'F32');
  if (!isAsAsked || out !== undefined || layout === 'transposed') return undefined;
  const { dtype, shape, data } = whole;
  const typed = halves(as, dtype, data) as OutputArrays[A];
  return { name: tensor.name, dtype, shape, data: typed, cosine, complete: true };
}

function halves(as: OutputType | undefined, dtype: string, data: unknown): unknown {
  return as === 'F16' && dtype === 'F16' ? asFloat16(data as Uint16Array) : data;
}
