import type { Model } from '../models/model.js';
import { isUrlObject } from '../platform/path.js';
import { readInput } from '../sources/input.js';
import { readWhole } from '../sources/read.js';
import { parseJson } from '../src/bytes/json.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { allocating, beyondLimit, limitsOf } from '../src/checks/limits.js';
import { check, checkOptions, type Rules } from '../src/checks/options.js';
import { ArgumentError, FormatError } from '../src/errors.js';
import { elementCount } from '../src/tensor/dtype.js';
import { viewBytes } from '../src/tensor/tensor.js';
import { LOADING_RULES, type LoadingOptions, MODEL } from './streamTensors.js';
import { assertAll, NAMING_RULES, type NamingOptions, readWeight, targetsOf } from './tfNames.js';

/** What is used of a `model.json`; the rest of it is passed on. */
export interface TfModelJson {
  readonly weightsManifest: readonly { readonly weights: readonly TfWeightSpec[] }[];
}

/** A weight in it. */
export interface TfWeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

export interface IoHandlerOptions extends LoadingOptions, NamingOptions, AbortOptions {
  /** The `model.json` of the network: its URL or path, or what it holds. The shards that it lists are not fetched. */
  readonly modelJson: string | URL | TfModelJson;
}

const RULES: Rules<IoHandlerOptions> = {
  ...LOADING_RULES,
  ...NAMING_RULES,
  ...ABORT_RULES,
  modelJson: (json) =>
    typeof json !== 'string' &&
    !isUrlObject(json) &&
    !isModelJson(json) &&
    'a URL, a path or what model.json holds',
};

/** What TensorFlow.js calls ModelArtifacts. */
export interface TfArtifacts {
  readonly weightSpecs: { name: string; shape: number[]; dtype: 'float32' | 'int32' | 'bool' }[];
  readonly weightData: ArrayBuffer;
  readonly [field: string]: unknown;
}

/**
 * What `tf.loadLayersModel` and `tf.loadGraphModel` read a network from: the topology of a `model.json`, and weights from a model
 * that holostream has opened, at the quality that is asked for.
 *
 * ```js
 * const network = await tf.loadLayersModel(ioHandler(model, { modelJson: 'model.json', quality: 0.97 }));
 * ```
 *
 * @throws from its `load`: FormatError for what is no `model.json`; what `Model.load` throws; ArgumentError and UnsupportedError as
 *   `loadWeights`
 */
export function ioHandler(model: Model, options: IoHandlerOptions): { load(): Promise<TfArtifacts> } {
  check('model', model, MODEL);
  checkOptions(options, RULES);
  check('modelJson', options.modelJson, RULES.modelJson);
  return { load: () => loadArtifacts(model, options) };
}

async function loadArtifacts(
  model: Model,
  { modelJson, weightName, layout, ...options }: IoHandlerOptions,
): Promise<TfArtifacts> {
  const { weightsManifest, ...topology } = await readModelJson(modelJson, options);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights.map(specOf));
  const targets = targetsOf(model.tensors, weightSpecs, { weightName, layout });
  assertAll(weightSpecs, targets);
  const byWeight = new Map(targets.map((target) => [target.weight, target]));
  const { states, load } = model.improving(targets.map(({ tensor }) => tensor));
  await load(options);
  const byName = new Map(states.map((state) => [state.tensor.name, state]));
  const sizes = weightSpecs.map(({ shape, dtype }) => elementCount(shape) * (dtype === 'bool' ? 1 : 4));
  const bytes = allocating(() => new Uint8Array(sizes.reduce((sum, size) => sum + size, 0)));
  let at = 0;
  for (const [i, { name }] of weightSpecs.entries()) {
    const target = byWeight.get(name)!;
    const loaded = await readWeight(byName.get(target.tensor)!, target, options.signal);
    if (loaded === undefined) {
      throw new ArgumentError(
        'Cannot load the network: the load ended before something of each tensor had come',
        {
          name: target.tensor,
        },
      );
    }
    bytes.set(viewBytes(loaded.data), at);
    at += sizes[i]!;
  }
  return { ...topology, weightSpecs: weightSpecs as TfArtifacts['weightSpecs'], weightData: bytes.buffer };
}

/** Without its quantization: what is given is not quantized. */
function specOf(weight: unknown): TfWeightSpec {
  const {
    name,
    shape,
    dtype,
    quantization: _,
    ...others
  } = Object(weight) as Partial<TfWeightSpec> & {
    quantization?: unknown;
  };
  if (typeof name !== 'string' || typeof dtype !== 'string' || !Array.isArray(shape)) {
    throw new FormatError('Cannot read model.json: a weight has no name, shape or dtype', { actual: name });
  }
  return { ...others, name, shape, dtype };
}

function isModelJson(json: unknown): json is TfModelJson {
  const { weightsManifest } = Object(json) as Partial<TfModelJson>;
  return Array.isArray(weightsManifest) && weightsManifest.every((group) => Array.isArray(group?.weights));
}

async function readModelJson(
  json: IoHandlerOptions['modelJson'],
  options: Pick<IoHandlerOptions, 'limits' | 'signal'>,
): Promise<TfModelJson> {
  const parsed = typeof json === 'string' || isUrlObject(json) ? await fetchJson(json, options) : json;
  if (!isModelJson(parsed)) throw new FormatError('Cannot read model.json: it has no weightsManifest');
  return parsed;
}

function fetchJson(place: string | URL, { limits, signal }: Pick<IoHandlerOptions, 'limits' | 'signal'>) {
  return readInput(place, async (source) => {
    const all = limitsOf({ limits });
    const tooLarge = () => beyondLimit(all, 'manifestBytes', 'Cannot read model.json: it is too large');
    const bytes = await readWhole(source, all.manifestBytes, tooLarge, { signal });
    return parseJson(bytes, 'Cannot read model.json', all.manifestBytes, String(place));
  });
}
