import type { ModelTensorInfo } from '../models/model.js';
import { type LoadedTensor, type OutputType, outputDtype } from '../models/output.js';
import type { TensorState } from '../models/tensorState.js';
import { allocating } from '../src/checks/limits.js';
import { callback, oneOf, type Rules } from '../src/checks/options.js';
import { ArgumentError, UnsupportedError } from '../src/errors.js';

/** Which weight of a network each tensor of a model is. */
export interface NamingOptions {
  /**
   * The weight for a tensor, and undefined for a tensor that the network does not take. Default: the one of the same name, or, with
   * PyTorch's names, its counterpart: `fc1.weight` is `fc1/kernel`.
   */
  readonly weightName?: ((tensor: string) => string | undefined) | undefined;
  /**
   * The order of dimensions in the model: 'torch' for kernels [out, in, height, width], which become [height, width, in, out];
   * 'tensorflow' for tensors that stay as they are. Where only one of the two gives the weight's shape, that is taken. Default: 'torch'
   * for tensors whose names end with `.weight`.
   */
  readonly layout?: 'torch' | 'tensorflow' | undefined;
}

export const NAMING_RULES: Rules<NamingOptions> = {
  weightName: callback,
  layout: /* @__PURE__ */ oneOf(['torch', 'tensorflow']),
};

/** A weight as the network describes it. */
export interface WeightInfo {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  readonly dtype: string;
}

/** A tensor of the model, and the weight that it becomes. */
export interface WeightTarget {
  readonly tensor: string;
  readonly weight: string;
  readonly as: OutputType;
  /** Its dimensions are reordered. */
  readonly permuted: boolean;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** TensorFlow.js's names of dtypes. */
const TYPES: Readonly<Record<string, string>> = { F32: 'float32', I32: 'int32', BOOL: 'bool' };

/** What ends names in PyTorch, and what in Keras. */
const COUNTERPARTS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.weight$/, ['/kernel', '/depthwise_kernel', '/embeddings', '/gamma']],
  [/\.bias$/, ['/bias', '/beta']],
  [/\.running_mean$/, ['/moving_mean']],
  [/\.running_var$/, ['/moving_variance']],
];

/** Of PyTorch's batch normalization; no other library keeps it. */
const UNUSED = /\.num_batches_tracked$/;

/**
 * @throws ArgumentError for tensors of which the network has no weight, and for shapes that differ; UnsupportedError for element
 *   types that TensorFlow.js does not have
 */
export function targetsOf(
  tensors: readonly ModelTensorInfo[],
  weights: readonly WeightInfo[],
  { weightName, layout }: NamingOptions,
): WeightTarget[] {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const targets: WeightTarget[] = [];
  const missing: string[] = [];
  for (const tensor of tensors) {
    const { name } = tensor;
    const found = weightName === undefined ? counterpart(name, byName) : weightName(name);
    if (found === undefined && (weightName !== undefined || UNUSED.test(name))) continue;
    const weight = byName.get(found ?? name);
    if (weight === undefined) missing.push(found ?? name);
    else targets.push(targetOf(tensor, weight, layout));
  }
  if (missing.length === 0) return targets;
  throw new ArgumentError('Cannot load the weights: the network has none of these names', {
    expected: [...byName.keys()],
    actual: missing,
  });
}

/** @throws ArgumentError for weights that no tensor is */
export function assertAll(weights: readonly WeightInfo[], targets: readonly WeightTarget[]): void {
  const found = new Set(targets.map(({ weight }) => weight));
  const missing = weights.filter(({ name }) => !found.has(name));
  if (missing.length === 0) return;
  throw new ArgumentError('Cannot load the weights: the model has no tensors for these', {
    actual: missing.map(({ name }) => name),
  });
}

function counterpart(name: string, weights: ReadonlyMap<string, unknown>): string | undefined {
  if (weights.has(name)) return name;
  for (const [end, others] of COUNTERPARTS) {
    if (!end.test(name)) continue;
    const layer = name.replace(end, '');
    const layers = [layer, layer.replaceAll('.', '/'), layer.replaceAll('.', '_')];
    for (const other of others) {
      const found = layers.map((one) => one + other).find((one) => weights.has(one));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function targetOf(
  tensor: ModelTensorInfo,
  weight: WeightInfo,
  layout: NamingOptions['layout'],
): WeightTarget {
  const { name, shape } = tensor;
  const as = weight.dtype === TYPES[tensor.dtype] ? 'source' : 'F32';
  const dtype = TYPES[outputDtype(tensor, as)];
  if (dtype === undefined || dtype !== weight.dtype) {
    throw new UnsupportedError('Cannot load the tensor: the weight has another element type', {
      name,
      expected: weight.dtype,
      actual: dtype ?? tensor.dtype,
    });
  }
  const isTorch = layout === undefined ? /\.weight$/.test(name) : layout === 'torch';
  const turn = isTorch && shape.length > 1 && !/embedding/.test(weight.name);
  for (const permuted of turn ? [true, false] : [false, true]) {
    const own = permuted ? permutedShape(shape) : shape;
    if (fits(own, weight.shape) || (permuted && isDepthwise(own, weight.shape))) {
      const { shape: known } = weight;
      const target = own.length === known.length && fits(own, known) ? own : (known as readonly number[]);
      return { tensor: name, weight: weight.name, as, permuted, shape: target, dtype };
    }
  }
  throw new ArgumentError('Cannot load the tensor: the weight has another shape', {
    name,
    expected: weight.shape,
    actual: shape,
  });
}

function fits(shape: readonly number[], expected: WeightInfo['shape']): boolean {
  return shape.length === expected.length && shape.every((size, i) => size === (expected[i] ?? size));
}

/** PyTorch's [channels × multiplier, 1, height, width], reordered, for Keras's [height, width, channels, multiplier]. */
function isDepthwise(
  [height, width, one, outputs]: readonly number[],
  expected: WeightInfo['shape'],
): boolean {
  const [h, w, channels, multiplier] = expected as number[];
  return (
    expected.length === 4 && one === 1 && h === height && w === width && channels! * multiplier! === outputs
  );
}

/** [out, in, ...others] as [...others, in, out]. */
function permutedShape([outputs = 1, inputs = 1, ...others]: readonly number[]): number[] {
  return [...others, inputs, outputs];
}

/** Reads a tensor in the order of dimensions of its weight; undefined where nothing has been loaded. */
export async function readWeight(
  state: TensorState,
  { as, permuted }: WeightTarget,
  signal: AbortSignal | undefined,
): Promise<LoadedTensor<OutputType> | undefined> {
  const { shape } = state.tensor;
  const layout = permuted ? 'transposed' : 'source';
  const loaded = await state.read({ as, layout, signal });
  if (loaded === undefined || !permuted || shape.length === 2) return loaded;
  const [outputs = 1, inputs = 1] = shape;
  const data = loaded.data as Float32Array;
  return { ...loaded, data: allocating(() => permutedData(data, outputs, inputs)) };
}

function permutedData(data: Float32Array, outputs: number, inputs: number): Float32Array {
  const out = new (data.constructor as typeof Float32Array)(data.length);
  const others = data.length / (outputs * inputs) || 0;
  let from = 0;
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      for (let other = 0; other < others; other++) {
        out[(other * inputs + input) * outputs + output] = data[from++]!;
      }
    }
  }
  return out;
}
