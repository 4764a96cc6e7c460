import { parseJson } from '../../src/bytes/json.js';
import { type AllLimits, checkLimit, type LimitsOption, limitsOf } from '../../src/checks/limits.js';
import { check, flag, having, listOf, number, type Rule, text } from '../../src/checks/options.js';
import { mapOf, optional, record as recordOf } from '../../src/checks/rules.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';

/**
 * What a model file says about its content in its safetensors metadata: enough to plan a load before any tensor is
 * read. `docs/formats/model-file.md` specifies the layout.
 */
export interface ModelPlan {
  /** The files that the model was made from, in order. */
  readonly files: readonly SourceFile[];
  /** The text of the shard index (`model.safetensors.index.json`), if the model came in shards. */
  readonly index?: string | undefined;
  readonly encoded: ReadonlyMap<string, EncodedTensorPlan>;
  /** XXH3-64 of the plain tensors, 16 hexadecimal digits. */
  readonly plain: ReadonlyMap<string, string>;
  /** How each tensor counts in the quality of the model, and so in the order of the file. */
  readonly weights: ReadonlyMap<string, number>;
}

/** A file that a model file was made of, as decoding makes it again. */
export interface SourceFile {
  readonly name: string;
  /** The JSON header of the file as text, padding included: decoding restores the same bytes. */
  readonly header: string;
  /**
   * The file is its tensors alone, one after another: one of another format, whose bytes around the tensors are tensors,
   * too. The header is not in the file.
   */
  readonly bare?: boolean | undefined;
}

/** What the plan of a model file says of a tensor in fragments. */
export interface EncodedTensorPlan {
  /** True cosine similarity with the tensor after fragments 0..k, for each k. */
  readonly cosines: readonly number[];
  /** XXH3-64 of the `#header` tensor, 16 hexadecimal digits. */
  readonly headerHash: string;
}

/** The version of the model file format that is written; no other is read. */
export const MODEL_FILE_VERSION = 2;
/** All of holostream's keys begin with it; other programs' files have none. */
export const METADATA_PREFIX = 'holostream.';
export const VERSION_KEY = `${METADATA_PREFIX}version`;
export const PLAN_KEY = `${METADATA_PREFIX}plan`;

/** Sums of weights stay finite. */
export const MAX_WEIGHT = 2 ** 53;

/** A checksum as {@link formatHash} writes it. */
export const HASH = /^[0-9a-f]{16}$/;

export const WEIGHT: Rule<number> = /* @__PURE__ */ number(0, MAX_WEIGHT);

const COSINE: Rule<number> = /* @__PURE__ */ number(0, 1);

export const HASH_TEXT: Rule<string> = (hash) =>
  !(typeof hash === 'string' && HASH.test(hash)) && '16 hexadecimal digits';

export const ENCODED_PLAN: Rule<EncodedTensorPlan> = /* @__PURE__ */ recordOf({
  cosines: /* @__PURE__ */ listOf(COSINE),
  headerHash: HASH_TEXT,
});

export const PLAN_FILES: Rule<readonly SourceFile[]> = /* @__PURE__ */ listOf(
  /* @__PURE__ */ recordOf<SourceFile>({ name: text, header: text, bare: /* @__PURE__ */ optional(flag) }),
);

const PLAN: Rule<ModelPlan> = /* @__PURE__ */ recordOf<ModelPlan>({
  files: PLAN_FILES,
  index: /* @__PURE__ */ optional(text),
  encoded: /* @__PURE__ */ mapOf(ENCODED_PLAN),
  plain: /* @__PURE__ */ mapOf(HASH_TEXT),
  weights: /* @__PURE__ */ mapOf(WEIGHT),
});

/** @throws ArgumentError for a plan that `parseModelPlan` would not read */
export function serializeModelPlan(plan: ModelPlan): string {
  check('plan', plan, PLAN);
  return JSON.stringify({
    files: plan.files,
    ...(plan.index === undefined ? {} : { index: plan.index }),
    encoded: Object.fromEntries(
      Array.from(plan.encoded, ([name, { cosines, headerHash }]) => [
        name,
        { cosines: cosines.map(writtenCosine), headerHash },
      ]),
    ),
    plain: Object.fromEntries(plan.plain),
    weights: Object.fromEntries(Array.from(plan.weights, ([name, weight]) => [name, writtenWeight(weight)])),
  });
}

/** @throws FormatError, UnsupportedError, LimitError */
export function parseModelPlan(metadata: ReadonlyMap<string, string>, options: LimitsOption = {}): ModelPlan {
  const limits = limitsOf(options);
  check('metadata', metadata, having<ReadonlyMap<string, string>>('get', 'a Map of strings'));
  const version = metadata.get(VERSION_KEY);
  if (version !== String(MODEL_FILE_VERSION)) {
    throw new UnsupportedError('Cannot read the model file: unsupported version', {
      expected: MODEL_FILE_VERSION,
      actual: version,
    });
  }
  const what = 'Cannot read the plan of the model file';
  const value = parseJson(metadata.get(PLAN_KEY) ?? '', what, limits.headerBytes);
  const { files, index, encoded, plain, weights } = record(value, 'its JSON');
  if (!Array.isArray(files) || files.length === 0)
    throw new FormatError('Cannot read the plan of the model file: it has no source files');
  if (index !== undefined && typeof index !== 'string')
    throw new FormatError('Cannot read the plan of the model file: its shard index is not text');
  return {
    files: files.map(sourceFile),
    index,
    encoded: new Map(
      Object.entries(record(encoded, 'its encoded tensors')).map(([name, one]) => [
        name,
        encodedTensor(name, one, limits),
      ]),
    ),
    plain: new Map(
      Object.entries(record(plain, 'its plain tensors')).map(([name, one]) => [name, hash(name, one)]),
    ),
    weights: new Map(
      Object.entries(record(weights, 'its weights')).map(([name, one]) => [name, weightOf(name, one)]),
    ),
  };
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new FormatError(`Cannot read the plan of the model file: ${what} has the wrong type`, {
    expected: 'an object',
    actual: value,
  });
}

function sourceFile(value: unknown): SourceFile {
  const { name, header, bare } = record(value, 'a source file');
  const isFlag = bare === undefined || typeof bare === 'boolean';
  if (typeof name === 'string' && typeof header === 'string' && isFlag) return { name, header, bare };
  throw new FormatError('Cannot read the plan of the model file: invalid source file', {
    expected: 'a name and a header',
  });
}

function encodedTensor(name: string, value: unknown, limits: AllLimits): EncodedTensorPlan {
  const { cosines, headerHash } = record(value, 'an encoded tensor');
  const numbers = Array.isArray(cosines) && cosines.length > 0 && cosines.every((cosine) => !COSINE(cosine));
  if (!numbers)
    throw new FormatError('Cannot read the plan of the model file: invalid cosines of a tensor', {
      name,
      actual: cosines,
    });
  checkLimit(
    limits,
    'fragments',
    cosines.length,
    'Cannot read the plan of the model file: too many fragments',
    {
      name,
    },
  );
  return { cosines: cosines as number[], headerHash: hash(name, headerHash) };
}

function weightOf(name: string, value: unknown): number {
  if (!WEIGHT(value)) return value as number;
  throw new FormatError('Cannot read the plan of the model file: invalid weight of a tensor', {
    name,
    expected: `0 to ${MAX_WEIGHT}`,
    actual: value,
  });
}

/** Seven decimals, rounded down: never more than is true, and a third of the bytes. */
function writtenCosine(cosine: number): number {
  return Math.floor(cosine * 1e7) / 1e7;
}

/** Six digits tell tensors apart. */
function writtenWeight(weight: number): number {
  return Number(weight.toPrecision(6));
}

function hash(name: string, value: unknown): string {
  if (!HASH_TEXT(value)) return value as string;
  throw new FormatError('Cannot read the plan of the model file: invalid checksum of a tensor', {
    name,
    expected: '16 hexadecimal digits',
    actual: value,
  });
}

/** A checksum as the plan writes it. */
export function formatHash(checksum: bigint): string {
  return checksum.toString(16).padStart(16, '0');
}

/** Names of a tensor's pieces in a model file. */

const HEADER_SUFFIX = '#header';

export function headerName(tensor: string): string {
  return tensor + HEADER_SUFFIX;
}

export function isHeaderName(name: string): boolean {
  return name.endsWith(HEADER_SUFFIX);
}

export function fragmentName(tensor: string, fragment: number): string {
  return `${tensor}#${fragment}`;
}

/** Tensors whose pieces would have the name of another tensor: if a model has `w#0`, its `w` must not be cut. */
export function clashingNames(names: Iterable<string>): ReadonlySet<string> {
  const clashing = new Set<string>();
  for (const name of names) {
    const base = /^(.*)#(?:header|\d+)$/s.exec(name)?.[1];
    if (base !== undefined) clashing.add(base);
  }
  return clashing;
}
