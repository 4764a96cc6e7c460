import type { Model } from '../models/model.js';
import type { TensorState } from '../models/tensorState.js';
import { check, checkOptions, having, listOf, object, type Rules } from '../src/checks/options.js';
import { UnsupportedError } from '../src/errors.js';
import { MODEL, STREAM_RULES, type StreamTensorsOptions, streamTensors } from './streamTensors.js';
import {
  assertAll,
  NAMING_RULES,
  type NamingOptions,
  readWeight,
  targetsOf,
  type WeightInfo,
} from './tfNames.js';

/** What is used of the package: it makes tensors. */
export interface Tf {
  /** Makes a tensor of values, a shape and a dtype. */
  tensor(...args: never[]): unknown;
}

/** What is used of a LayersModel. */
export interface TfLayersModel {
  readonly weights: readonly {
    readonly originalName: string;
    readonly shape: readonly (number | null)[];
    readonly dtype: string;
    /** Replaces the weight by a tensor of the same shape. */
    write(value: never): unknown;
  }[];
}

/** What is used of a GraphModel. */
export interface TfGraphModel {
  readonly weights: Readonly<Record<string, readonly TfTensor[]>>;
}

/** What is used of a tensor. */
interface TfTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  dispose(): void;
}

export interface LoadWeightsOptions extends StreamTensorsOptions, NamingOptions {
  /** The package: `import * as tf from '@tensorflow/tfjs'`. */
  readonly tf: Tf;
  /** What gets the weights. */
  readonly network: TfLayersModel | TfGraphModel;
}

const VARIABLE = /* @__PURE__ */ having<TfLayersModel['weights'][number]>('write', 'a variable');

const RULES: Rules<LoadWeightsOptions> = {
  ...STREAM_RULES,
  ...NAMING_RULES,
  tf: /* @__PURE__ */ having<Tf>('tensor', 'the package @tensorflow/tfjs'),
  network: (network) => {
    const { weights } = Object(network) as Partial<TfLayersModel>;
    const isWrong = Array.isArray(weights) ? listOf(VARIABLE)(weights) : object(weights);
    return isWrong && 'a LayersModel or a GraphModel';
  },
};

/** What a network has after a step. */
export interface LoadedWeights {
  /** True cosine similarity of the weights with the original: their mean, by their weights in the model. */
  readonly quality: number;
  /** Nothing is missing: it is the last step. */
  readonly complete: boolean;
}

/** Where the weights of a network are. */
interface Place {
  readonly weights: readonly WeightInfo[];
  /** All weights must come from the model. */
  readonly whole: boolean;
  /** Takes the tensor. */
  put(weight: string, value: TfTensor): void;
}

/**
 * Loads a model into a network: first when something of each tensor has come, then each time that the whole has become usefully
 * better, last when the load has ended. The network stays the same, and gets better weights while the consumer waits for the next
 * step. Leaving the iteration ends the load.
 *
 * ```js
 * for await (const { quality } of loadWeights(model, { tf, network })) {
 *   show(network.predict(images), quality);
 * }
 * ```
 *
 * @throws ArgumentError for tensors of which the network has no weight, for shapes that differ, and for weights of a LayersModel that no
 *   tensor of the model is; UnsupportedError for element types that TensorFlow.js does not have; from the iteration, what `Model.load`
 *   throws, and ArgumentError when the load ends before something of each tensor has come
 */
export function loadWeights(
  model: Model,
  options: LoadWeightsOptions,
): AsyncGenerator<LoadedWeights, void, undefined> {
  check('model', model, MODEL);
  const { tf, network, weightName, layout, ...stream } = checkOptions(options, RULES);
  check('tf', tf, RULES.tf);
  check('network', network, RULES.network);
  const place = Array.isArray(network.weights)
    ? placeInLayers(network as TfLayersModel)
    : placeInGraph(network as TfGraphModel);
  const found = targetsOf(model.tensors, place.weights, { weightName, layout });
  if (place.whole) assertAll(place.weights, found);
  const targets = new Map(found.map((target) => [target.tensor, target]));
  const tensor = tf.tensor as unknown as (data: unknown, shape: readonly number[], dtype: string) => TfTensor;
  const read = async (state: TensorState, signal: AbortSignal) => {
    const target = targets.get(state.tensor.name)!;
    const loaded = await readWeight(state, target, signal);
    if (loaded !== undefined)
      place.put(target.weight, tensor.call(tf, loaded.data, target.shape, target.dtype));
    return loaded;
  };
  return streamTensors(model, [...targets.keys()], stream, read);
}

function placeInLayers({ weights }: TfLayersModel): Place {
  // The names that they have now may have numbers, which tell networks apart.
  const byName = new Map(weights.map((weight) => [weight.originalName, weight]));
  return {
    weights: Array.from(byName, ([name, { shape, dtype }]) => ({ name, shape, dtype })),
    whole: true,
    put(name, value) {
      byName.get(name)!.write(value as never);
      // The variable has its data.
      value.dispose();
    },
  };
}

/** @throws UnsupportedError for another version of the package, which keeps weights elsewhere */
function placeInGraph(network: TfGraphModel): Place {
  const { executor } = network as unknown as { readonly executor?: { weightMap: TfGraphModel['weights'] } };
  if (executor?.weightMap !== network.weights) {
    throw new UnsupportedError(
      'Cannot load the weights: this version of TensorFlow.js keeps those of graphs elsewhere',
    );
  }
  return {
    weights: Object.entries(network.weights).flatMap(([name, [tensor]]) =>
      tensor === undefined ? [] : [{ name, shape: tensor.shape, dtype: tensor.dtype }],
    ),
    whole: false,
    put(name, value) {
      const before = executor.weightMap[name];
      // Set, not changed: the graph notes which tensors it must not dispose of.
      executor.weightMap = { ...executor.weightMap, [name]: [value] };
      for (const tensor of before ?? []) tensor.dispose();
    },
  };
}
