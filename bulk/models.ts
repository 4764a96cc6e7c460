import type { EncodeModelFileOptions } from '../models/file/encodeOptions.js';
import type { FragmentOptions } from '../models/file/encodeTensor.js';
import { WEIGHT } from '../models/file/plan.js';
import type { LocatedTensor, ModelSource } from '../models/file/sourceFiles.js';
import { cutTensors, weightOf } from '../models/file/stageTensors.js';
import { factorOf, patternOf } from '../models/namePattern.js';
import type { TensorOrder } from '../models/tensorWeight.js';
import { listOf, object, oneOf, type Rule, type Rules, text, wholeNumber } from '../src/checks/options.js';
import { record } from '../src/checks/rules.js';
import { planUnits, type Unit } from './units.js';

/** A model to convert. */
export interface BulkModel {
  /**
   * One safetensors file, shard index or folder, several files that are the shards of one model, or a model that
   * `openForeignModel` opens (ONNX, GGUF, PyTorch, .npz, TensorFlow.js); by path, URL, `s3://bucket/key`, or
   * `hf:organisation/model`.
   */
  readonly sources: readonly string[];
  /** The key of the model file in the storage: `llama/model.holo.safetensors`. */
  readonly output: string;
}

/** How models are encoded: the options of `encodeModelFile`, in a form that can be sent to other machines. */
export interface BulkEncodeOptions {
  readonly encode?: FragmentOptions | undefined;
  readonly order?: TensorOrder | undefined;
  /** Names of tensors to store plain; `*` is any text, `?` one character. */
  readonly keep?: readonly string[] | undefined;
  /** Factors of weights by names and patterns. */
  readonly importance?: Readonly<Record<string, number>> | undefined;
  /**
   * Larger tensors are divided into ranges of at most about so many bytes, each a unit; the file is the same. Only the embedded
   * encoding can be divided, and sources must say when they change. Default 134,217,728 (128 MiB).
   */
  readonly maxUnitBytes?: number | undefined;
}

/** As many bytes as a worker encodes in some seconds. */
const MAX_UNIT_BYTES = 2 ** 27;

export const BULK_MODELS: Rule<readonly BulkModel[]> = /* @__PURE__ */ listOf(
  /* @__PURE__ */ record<BulkModel>({ sources: listOf(text), output: text }),
);

const FACTORS: Rule<Readonly<Record<string, number>>> = (value) =>
  object(value) ||
  Object.values(value as object)
    .map(WEIGHT)
    .find(Boolean);

export const ENCODE_RULES: Rules<BulkEncodeOptions> = {
  // What is in them is checked by the encoder.
  encode: object,
  order: /* @__PURE__ */ oneOf(['balanced', 'elements']),
  keep: /* @__PURE__ */ listOf(text),
  importance: FACTORS,
  maxUnitBytes: /* @__PURE__ */ wholeNumber(1),
};

/** Options of the encoding that ranges can be laid out by. */
const DIVISIBLE: readonly string[] = ['encoding', 'fragments', 'qualities'];

/** The units of a model. */
export function unitsOf({ model, isVersioned }: UnitsOf, options: BulkEncodeOptions): Unit[] {
  const { encode = {}, maxUnitBytes = MAX_UNIT_BYTES } = options;
  const { isCut } = tensorChoices(options);
  const isEmbedded = (encode.encoding ?? 'embedded') === 'embedded';
  // A range is found by the note of its tensor's plan, which is only trusted where a source says when it changes.
  const others = Object.entries(encode).filter(
    ([name, value]) => value !== undefined && !DIVISIBLE.includes(name),
  );
  const mayDivide = isVersioned && isEmbedded && others.length === 0;
  return planUnits(model, { maxUnitBytes, isDivisible: (tensor) => mayDivide && isCut(tensor) });
}

interface UnitsOf {
  readonly model: ModelSource;
  readonly isVersioned: boolean;
}

/** What the options say of each tensor. */
export interface TensorChoices {
  readonly isCut: (tensor: LocatedTensor) => boolean;
  readonly weightOf: (tensor: LocatedTensor) => number;
}

export function tensorChoices({ order, keep = [], importance = {} }: BulkEncodeOptions): TensorChoices {
  const patterns = keep.map(patternOf);
  const options: EncodeModelFileOptions = {
    order,
    importance: factorOf(new Map(Object.entries(importance))),
  };
  return {
    isCut: cutTensors((name) => patterns.some((pattern) => pattern.test(name))),
    weightOf: (tensor) => weightOf(tensor, options),
  };
}
