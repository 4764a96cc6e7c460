import { flag, listOf, number, type Rule, text, wholeNumber } from '../../src/checks/options.js';
import { optional, record } from '../../src/checks/rules.js';

/**
 * What a model file says about its content in its safetensors metadata: enough to plan a load before any tensor is
 * read. `docs/formats/model-file.md` specifies the layout.
 */
export interface ModelPlan {
  /** The files that the model was made from, in order. */
  readonly files: readonly SourceFile[];
  /** The text of the shard index (`model.safetensors.index.json`), if the model came in shards. */
  readonly index?: string | undefined;
  /** One for each tensor of the files, in the order of the files and of their data. */
  readonly tensors: readonly TensorPlan[];
  /**
   * The pieces in the order of the file's data, each by the number of its tensor in `tensors`: a tensor's header piece, then its
   * fragments in their order, or the single piece of a plain tensor.
   */
  readonly order: readonly number[];
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

/** What the plan of a model file says of a tensor. */
export interface TensorPlan {
  /** How the tensor counts in the quality of the model, and so in the order of the file. */
  readonly weight: number;
  /** XXH3-64 of its first piece, 16 hexadecimal digits. */
  readonly hash: string;
  /** Undefined for a plain tensor. */
  readonly encoded?: EncodedTensorPlan | undefined;
}

/** What the plan of a model file says of a tensor in fragments. */
export interface EncodedTensorPlan {
  /** Bytes of the header piece, and of each fragment. */
  readonly sizes: readonly number[];
  /** True cosine similarity with the tensor after fragments 0..k, for each k. */
  readonly cosines: readonly number[];
}

/** The version of the model file format that is written; no other is read. */
export const MODEL_FILE_VERSION = 4;
/** All of holostream's keys begin with it; other programs' files have none. */
export const METADATA_PREFIX = 'holostream.';
export const VERSION_KEY = `${METADATA_PREFIX}version`;
export const PLAN_KEY = `${METADATA_PREFIX}plan`;
/** The one tensor that a model file is for readers of safetensors: all its pieces. */
export const DATA_NAME = `${METADATA_PREFIX}data`;

/** Far more than models have: for each, a header is read, and a plan of some kilobytes can have millions of empty ones. */
export const MAX_FILES = 65_536;

/** Sums of weights stay finite. */
export const MAX_WEIGHT = 2 ** 53;

/** A weight as a plan has it: six digits tell tensors apart, and an F32 is exact to them. */
export function roundedWeight(weight: number): number {
  return Math.min(MAX_WEIGHT, Number(weight.toPrecision(6)));
}

/** A checksum as {@link formatHash} writes it. */
export const HASH = /^[0-9a-f]{16}$/;

export const WEIGHT: Rule<number> = /* @__PURE__ */ number(0, MAX_WEIGHT);

const COSINE: Rule<number> = /* @__PURE__ */ number(0, 1);

/** Cosines have seven decimals: what they are below 1 is a number of 24 bits. */
export const COSINE_SCALE = 1e7;

export const HASH_TEXT: Rule<string> = (hash) =>
  !(typeof hash === 'string' && HASH.test(hash)) && '16 hexadecimal digits';

export const ENCODED_PLAN: Rule<EncodedTensorPlan> = /* @__PURE__ */ record({
  sizes: /* @__PURE__ */ listOf(/* @__PURE__ */ wholeNumber()),
  cosines: /* @__PURE__ */ listOf(COSINE),
});

export const PLAN_FILES: Rule<readonly SourceFile[]> = /* @__PURE__ */ listOf(
  /* @__PURE__ */ record<SourceFile>({ name: text, header: text, bare: /* @__PURE__ */ optional(flag) }),
);

/** A checksum as the plan writes it. */
export function formatHash(checksum: bigint): string {
  return checksum.toString(16).padStart(16, '0');
}
