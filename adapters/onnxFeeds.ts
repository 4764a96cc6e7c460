import type { LoadableTensor } from '../models/inputs/content.js';
import type { Model } from '../models/model.js';
import { type OutputType, outputDtype } from '../models/output.js';
import type { TensorState } from '../models/tensorState.js';
import {
  callback,
  check,
  checkOptions,
  having,
  listOf,
  object,
  oneOf,
  type Rules,
  text,
} from '../src/checks/options.js';
import { ArgumentError, UnsupportedError } from '../src/errors.js';
import { type GpuDevice, makeWeight, ONNX_TYPES, type OnnxTensors, type Weight } from './onnxWeight.js';
import { MODEL, STREAM_RULES, type StreamTensorsOptions, streamTensors } from './streamTensors.js';

/** What is used of a session. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  /** In ONNX Runtime 1.21 and later. */
  readonly inputMetadata?: readonly { readonly name: string; readonly type?: string }[];
}

/** What {@link loadFeeds} loads, and for which session. */
export interface LoadFeedsOptions<O extends OnnxTensors = OnnxTensors> extends StreamTensorsOptions {
  /** The package: `import * as ort from 'onnxruntime-web'`. */
  readonly ort: O;
  /** A session of the graph that has the weights as inputs. */
  readonly session: OnnxSession;
  /** The input for a tensor of the model, and undefined for one that the graph does not take. Default: that of the same name. */
  readonly inputName?: ((tensor: string) => string | undefined) | undefined;
  /**
   * Element type of floating-point weights: 'source' for that of the model. Default: what each input has, as the session says;
   * 'F32' where it says nothing.
   */
  readonly as?: 'F32' | 'F16' | 'source' | undefined;
  /** The device of the session (`await ort.env.webgpu.device`), in whose buffers the weights are kept. Default: none. */
  readonly device?: GpuDevice | undefined;
}

const RULES: Rules<LoadFeedsOptions> = {
  ...STREAM_RULES,
  ort: /* @__PURE__ */ having<OnnxTensors>('Tensor', 'the package onnxruntime-web or onnxruntime-node'),
  session: (session) => {
    const { inputNames, inputMetadata = [] } = Object(session) as Partial<OnnxSession>;
    const isWrong = listOf(text)(inputNames) || listOf(object)(inputMetadata);
    return isWrong && 'a session of ONNX Runtime';
  },
  inputName: callback,
  as: /* @__PURE__ */ oneOf(['F32', 'F16', 'source']),
  device: /* @__PURE__ */ having<GpuDevice>('createBuffer', 'a GPUDevice'),
};

/** The weights as a session takes them. */
export interface Feeds<O extends OnnxTensors = OnnxTensors> {
  /** By the names of inputs. They are the same tensors each time: the next step of the iteration puts better numbers into them. */
  readonly feeds: Readonly<Record<string, InstanceType<O['Tensor']>>>;
  /** True cosine similarity of these tensors with the original: their mean, by their weights. */
  readonly quality: number;
  /** Nothing is missing: it is the last step. */
  readonly complete: boolean;
}

/** A tensor of the model, and the input that takes it. */
interface Target {
  readonly name: string;
  readonly input: string;
  readonly as: OutputType;
  /** Of its elements as they are read. */
  readonly dtype: string;
}

/**
 * Loads a model, and gives its tensors as inputs of a session: first when something of each has come, then each time that the whole
 * has become usefully better, last when the load has ended. The tensors stay the same, and get better numbers while the consumer
 * waits for the next step. Leaving the iteration ends the load.
 *
 * Weights must be inputs of the graph. Initializers cannot be replaced: `onnxruntime-web` refuses to run, and `onnxruntime-node`
 * ignores what it is fed in their place. Here they are an error, which names them.
 *
 * ```js
 * const session = await ort.InferenceSession.create('model.onnx');
 * for await (const { feeds, quality } of loadFeeds(model, { ort, session })) {
 *   show(await session.run({ ...feeds, images }), quality);
 * }
 * ```
 *
 * @throws ArgumentError for tensors that are no inputs of the graph; UnsupportedError for element types that an input does not
 *   take; from the iteration, what `Model.load` throws, and ArgumentError when the load ends before something of each tensor has come
 */
export function loadFeeds<O extends OnnxTensors>(
  model: Model,
  options: LoadFeedsOptions<O>,
): AsyncGenerator<Feeds<O>, void, undefined> {
  check('model', model, MODEL);
  const { ort, session, inputName, as, device, ...stream } = checkOptions<LoadFeedsOptions<O>>(
    options,
    RULES,
  );
  check('ort', ort, RULES.ort);
  check('session', session, RULES.session);
  const targets = targetsOf(model, { session, inputName, as });
  return feed(model, targets, stream, (tensor, dtype) => makeWeight(ort, device, tensor, dtype));
}

/** @throws ArgumentError, UnsupportedError */
function targetsOf(
  { tensors }: Model,
  { session, inputName = (name) => name, as }: Pick<LoadFeedsOptions, 'session' | 'inputName' | 'as'>,
): Target[] {
  const inputs = new Set(session.inputNames);
  const types = new Map(session.inputMetadata?.map(({ name, type }) => [name, type]));
  const targets: Target[] = [];
  const missing: string[] = [];
  for (const { name, dtype: own } of tensors) {
    const input = inputName(name);
    if (input === undefined) continue;
    if (!inputs.has(input)) {
      missing.push(input);
      continue;
    }
    const type = types.get(input);
    const read = as ?? (type === 'float16' ? 'F16' : type === ONNX_TYPES[own] ? 'source' : 'F32');
    const dtype = outputDtype({ dtype: own }, read);
    const given = ONNX_TYPES[dtype];
    if (given === undefined || (type !== undefined && type !== given)) {
      const details = { name, expected: type ?? Object.values(ONNX_TYPES), actual: given ?? dtype };
      throw new UnsupportedError('Cannot feed the tensor: the input has another element type', details);
    }
    targets.push({ name, input, as: read, dtype });
  }
  if (missing.length > 0) {
    throw new ArgumentError(
      'Cannot feed the weights: they are no inputs of the graph, and initializers cannot be replaced; make them inputs, or external data for loadSessions',
      { expected: session.inputNames, actual: missing },
    );
  }
  return targets;
}

async function* feed<O extends OnnxTensors>(
  model: Model,
  targets: readonly Target[],
  options: StreamTensorsOptions,
  make: (tensor: LoadableTensor, dtype: string) => Weight,
): AsyncGenerator<Feeds<O>, void, undefined> {
  const byName = new Map(targets.map((target) => [target.name, target]));
  const weights = new Map<string, Weight>();
  // Inputs have any names, '__proto__' too.
  const feeds: Record<string, unknown> = Object.create(null);
  const read = async (state: TensorState, signal: AbortSignal) => {
    const { name } = state.tensor;
    const target = byName.get(name)!;
    const weight = weights.get(name) ?? make(state.tensor, target.dtype);
    weights.set(name, weight);
    feeds[target.input] = weight.tensor;
    const loaded = await state.read({ as: target.as, signal, out: weight.memory });
    if (loaded !== undefined) weight.update();
    return loaded;
  };
  let isGiven = false;
  try {
    for await (const improvement of streamTensors(model, [...byName.keys()], options, read)) {
      isGiven = true;
      yield { feeds: feeds as Feeds<O>['feeds'], ...improvement };
    }
  } finally {
    // Once given, they are the consumer's.
    if (!isGiven) for (const weight of weights.values()) weight.dispose();
  }
}
