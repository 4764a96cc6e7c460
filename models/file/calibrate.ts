import { ABORT_RULES, type AbortOptions } from '../../src/checks/abortOptions.js';
import type { Limits } from '../../src/checks/limits.js';
import {
  callback,
  check,
  checkOptions,
  listOf,
  number,
  type Rule,
  type Rules,
  wholeNumber,
} from '../../src/checks/options.js';
import { mapOf, record } from '../../src/checks/rules.js';
import { loadDecodings } from '../../src/encodings/decodings.js';
import { ArgumentError } from '../../src/errors.js';
import { HoloTensorDecoder } from '../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { elementCount } from '../../src/tensor/dtype.js';
import type { LoadedTensor } from '../output.js';
import { tensorWeight } from '../tensorWeight.js';
import { isWorthEncoding } from './encodeTensor.js';

/** A tensor of a network, as `Model.load` gives it: those whose data are no Float32Array stay as they are. */
export type CalibratedTensor = Pick<LoadedTensor, 'shape' | 'data'>;

/**
 * The outputs of a network with these weights for its sample inputs, in one array of constant length. Return scores,
 * such as logits, instead of decisions: they change first.
 */
export type EvaluateWeights = (
  weights: ReadonlyMap<string, Float32Array>,
  options: AbortOptions,
) => ArrayLike<number> | Promise<ArrayLike<number>>;

export interface CalibrateOptions extends AbortOptions {
  /** Cosine similarity to which each tensor in turn is coarsened, above 0 and below 1. Default 0.97. */
  readonly cosine?: number | undefined;
  /** Called after each tensor with how many have been measured, and how many there will be. */
  readonly onProgress?: ((tensors: number, totalTensors: number) => void) | undefined;
}

const RULES: Rules<CalibrateOptions> = {
  ...ABORT_RULES,
  cosine: /* @__PURE__ */ number(0, 1),
  onProgress: callback,
};

const TENSORS: Rule<ReadonlyMap<string, CalibratedTensor>> = /* @__PURE__ */ mapOf(
  /* @__PURE__ */ record<CalibratedTensor>({
    shape: /* @__PURE__ */ listOf(/* @__PURE__ */ wholeNumber()),
    data: (value) => !ArrayBuffer.isView(value) && 'a typed array',
  }),
);

/** Samples may not have used a tensor that others will use: no tensor is less important than this part of the most important. */
const LEAST = 1e-3;

/**
 * Measures how much the output of a network reacts to an error in each of its tensors: coarsens one tensor at a time
 * and compares the outputs for sample inputs. The sensitivity of a tensor is the squared change of the outputs over its
 * own relative squared error. It takes one evaluation more than there are tensors to cut, and the memory of the network
 * once more.
 *
 * @example
 * const model = await openModel('model.safetensors');
 * const sample = new Float32Array(784).fill(0.5);
 * const importance = await calibrate(await model.load(), (weights) => {
 *   const weight = weights.get('fc1.weight')!;
 *   const sum = (row: number) => sample.reduce((sum, x, i) => sum + x * weight[row * sample.length + i]!, 0);
 *   return Array.from({ length: 192 }, (_, row) => sum(row));
 * });
 * await model.close();
 * console.log(JSON.stringify(Object.fromEntries(importance)));
 *
 * @param tensors by name, whole; those that a model file does not cut are left out
 * @returns factors by name, on average 1: what `importance` of `encodeModelFile` takes with the default `order`, and, as
 *   JSON, `holostream encode --importance`
 * @throws ArgumentError when the outputs are not always as many finite numbers, or never change
 */
export async function calibrate(
  tensors: ReadonlyMap<string, CalibratedTensor>,
  evaluate: EvaluateWeights,
  options: CalibrateOptions = {},
): Promise<Map<string, number>> {
  checkOptions(options, RULES);
  check('tensors', tensors, TENSORS);
  check('evaluate', evaluate, callback);
  const { cosine = 0.97, signal, onProgress } = options;
  const [kernels] = await Promise.all([loadKernels(), loadDecodings(['embedded'])]);
  const whole = new Map(Array.from(tensors, ([name, { data }]) => [name, data]));
  const run = async (weights: ReadonlyMap<string, Float32Array>, name?: string) => {
    signal?.throwIfAborted();
    const outputs = Float64Array.from(await evaluate(weights, { signal }));
    signal?.throwIfAborted();
    if (outputs.length > 0 && outputs.every(Number.isFinite)) return outputs;
    const expected = 'one or more finite numbers';
    throw new ArgumentError('Cannot calibrate with these outputs of the network', { name, expected });
  };
  const reference = await run(whole);
  const cut = [...tensors].filter(([, tensor]) => isMeasured(tensor));
  const sensitivities = new Map<string, number>();
  for (const [i, [name, tensor]] of cut.entries()) {
    const { data, error } = coarsened(tensor, cosine, kernels);
    if (error > 0) {
      const outputs = await run(new Map(whole).set(name, data), name);
      if (outputs.length !== reference.length) {
        throw new ArgumentError('Cannot calibrate with these outputs of the network: not always as many', {
          name,
          expected: reference.length,
          actual: outputs.length,
        });
      }
      const change = outputs.reduce((sum, output, k) => sum + (output - reference[k]!) ** 2, 0);
      sensitivities.set(name, change / error);
    }
    onProgress?.(i + 1, cut.length);
  }
  return factorsOf(sensitivities, tensors);
}

/** Nothing comes from elsewhere, and what brings a low cosine can have few bytes. */
const OWN: Limits = { ratio: Number.POSITIVE_INFINITY };

/** What fragments up to the cosine bring of the tensor, and the square of its relative error. */
function coarsened(
  { shape, data }: CalibratedTensor,
  cosine: number,
  kernels: Kernels,
): { readonly data: Float32Array; readonly error: number } {
  const encoder = new HoloTensorEncoder('embedded', { qualities: [cosine], kernels });
  const { header, fragments, cosines } = encoder.encode(data, [elementCount(shape)]);
  const decoder = new HoloTensorDecoder(header, { kernels, limits: OWN });
  decoder.addFragment(fragments[0]!);
  return { data: decoder.reconstruct(), error: 1 - cosines[0]! ** 2 };
}

function isMeasured({ shape, data }: CalibratedTensor): boolean {
  return data instanceof Float32Array && isWorthEncoding({ dtype: 'F32', shape });
}

/** The sensitivities over the weights that tensors have without them. */
function factorsOf(
  sensitivities: ReadonlyMap<string, number>,
  tensors: ReadonlyMap<string, CalibratedTensor>,
): Map<string, number> {
  const most = [...sensitivities.values()].reduce((top, one) => Math.max(top, one), 0);
  if (most === 0) throw new ArgumentError('Cannot calibrate the model: no tensor changes its outputs');
  const factors = Array.from(sensitivities, ([name, one]): [string, number] => [
    name,
    Math.max(LEAST * most, one) / tensorWeight(tensors.get(name)!.shape),
  ]);
  const mean = factors.reduce((sum, [, factor]) => sum + factor, 0) / factors.length;
  return new Map(factors.map(([name, factor]) => [name, Number((factor / mean).toPrecision(4))]));
}
