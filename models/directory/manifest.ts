import { parseJson } from '../../src/bytes/json.js';
import { type AllLimits, checkLimit, type LimitsOption, limitsOf } from '../../src/checks/limits.js';
import { check, listOf, oneOf, type Rule, text, wholeNumber } from '../../src/checks/options.js';
import { optional, record, textMap } from '../../src/checks/rules.js';
import { quote, show } from '../../src/errors/show.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import {
  isSafetensorsDType,
  SAFETENSORS_DTYPES,
  SAFETENSORS_METADATA_KEY,
  type SafetensorsDType,
  safetensorsByteLength,
} from '../../src/safetensors/header.js';
import { SHAPE } from '../../src/tensor/dtype.js';
import { assertPlain } from '../file/plainHeader.js';
import { HASH_TEXT, PLAN_FILES, type SourceFile } from '../file/plan.js';
import { sourceFileTensors } from '../file/sourceFiles.js';
import { isPlainFileName, isSafeFileName } from './fileNames.js';

/** The file of a model directory that lists all others. */
export const MANIFEST_NAME = 'manifest.json';

const FORMAT = 'holostream-model';
const VERSION = 1;

/** The format of a tensor's file: HCT, or plain bytes. */
export type ModelFileFormat = 'hct' | 'raw';

/** What the manifest of a model directory says of a tensor and its file. */
export interface ManifestTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Bytes of the tensor itself. */
  readonly byteLength: number;
  /** Of the tensor's bytes, by `TensorHash`: 16 hexadecimal digits. */
  readonly xxh3: string;
  /** Plain name of its file within the directory. */
  readonly file: string;
  readonly format: ModelFileFormat;
  /** Bytes of that file. */
  readonly fileSize: number;
}

/** The content of a model directory; see docs/formats/model-directory.md. */
export interface ModelManifest {
  /** The `__metadata__` of the safetensors file that it was made from; empty when it has none. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their bytes in the model. */
  readonly tensors: readonly ManifestTensor[];
  /** The files that it was made from, with their headers: they can be made again, bit for bit. Absent in directories of before 0.2. */
  readonly files?: readonly SourceFile[] | undefined;
}

export const MANIFEST_TENSOR: Rule<ManifestTensor> = /* @__PURE__ */ record<ManifestTensor>({
  name: text,
  dtype: /* @__PURE__ */ oneOf(SAFETENSORS_DTYPES),
  shape: SHAPE,
  byteLength: /* @__PURE__ */ wholeNumber(),
  xxh3: HASH_TEXT,
  file: text,
  format: /* @__PURE__ */ oneOf(['hct', 'raw']),
  fileSize: /* @__PURE__ */ wholeNumber(),
});

export const MANIFEST: Rule<ModelManifest> = /* @__PURE__ */ record<ModelManifest>({
  metadata: textMap,
  tensors: /* @__PURE__ */ listOf(MANIFEST_TENSOR),
  files: /* @__PURE__ */ optional(PLAN_FILES),
});

/** @throws ArgumentError for a manifest that `parseManifest` would not read */
export function serializeManifest(manifest: ModelManifest): string {
  check('manifest', manifest, MANIFEST);
  const { metadata, tensors, files } = manifest;
  // fromEntries defines properties; assigning would let a key "__proto__" change the prototype.
  const free = metadata.size === 0 ? undefined : Object.fromEntries(metadata);
  return `${JSON.stringify({ format: FORMAT, version: VERSION, metadata: free, tensors, files }, null, 2)}\n`;
}

/**
 * Checks everything that can be checked without the files: the result has no paths that leave the directory, no sizes
 * that are not numbers, and no two tensors with the same name or file.
 * @throws FormatError, UnsupportedError, LimitError
 */
export function parseManifest(json: string, options: LimitsOption = {}): ModelManifest {
  const limits = limitsOf(options);
  check('text', json, text);
  const root = asRecord(
    parseJson(json, 'Cannot read the manifest', limits.manifestBytes),
    'Cannot read the manifest: it',
  );
  if (root.format !== FORMAT) {
    throw new FormatError('Cannot read the manifest: unknown format', {
      expected: FORMAT,
      actual: root.format,
    });
  }
  if (root.version !== VERSION) {
    throw new UnsupportedError('Cannot read the manifest: unsupported version', {
      expected: VERSION,
      actual: root.version,
    });
  }
  if (!Array.isArray(root.tensors))
    throw new FormatError('Cannot read the manifest: its tensors are not an array');
  checkLimit(limits, 'tensors', root.tensors.length, 'Cannot read the manifest: too many tensors');
  const tensors = root.tensors.map((tensor, index) => parseTensor(tensor, index, limits));
  requireDistinct(tensors, 'tensors have the same name', ({ name }) => name);
  requireDistinct(tensors, 'tensors have the same file', ({ file }) => file.toLowerCase());
  const metadata = parseMetadata(root.metadata ?? {});
  assertPlain({ metadata, tensors });
  if (root.files === undefined) return { metadata, tensors };
  return { metadata, tensors, files: parseFiles(root.files, tensors, options) };
}

/** What the headers of files say of tensors, too. */
const LISTED = ['name', 'dtype', 'shape'] as const;

/** The files that the directory was made from: together, they have its tensors. */
function parseFiles(
  value: unknown,
  tensors: readonly ManifestTensor[],
  options: LimitsOption,
): readonly SourceFile[] {
  const what = 'Cannot read the manifest: its list of source files';
  if (!Array.isArray(value)) throw new FormatError(`${what} is not an array`);
  const files = value.map((one): SourceFile => {
    const { name, header, bare } = asRecord(one, `${what} has a member that`);
    const isFlag = bare === undefined || typeof bare === 'boolean';
    if (typeof name === 'string' && typeof header === 'string' && isFlag) return { name, header, bare };
    throw new FormatError(`${what} is invalid`, { expected: 'names and headers' });
  });
  requireDistinct(files, 'source files have the same name', ({ name }) => name);
  for (const { name } of files) {
    if (!isPlainFileName(name))
      throw new FormatError('Cannot read the manifest: the name of a source file is not plain', { name });
  }
  const listed = files.flatMap((file) => sourceFileTensors(file, options));
  const length = Math.max(tensors.length, listed.length);
  const wrong = Array.from({ length }, (_, i) => i).find((i) =>
    LISTED.some((field) => String(tensors[i]?.[field]) !== String(listed[i]?.[field])),
  );
  if (wrong === undefined) return files;
  throw new FormatError('Cannot read the manifest: its source files do not have the tensors that it lists', {
    tensor: (tensors[wrong] ?? listed[wrong])!.name,
  });
}

function parseTensor(value: unknown, index: number, limits: AllLimits): ManifestTensor {
  const place = `Cannot read tensor ${index} of the manifest`;
  const entry = asRecord(value, `${place}: it`);
  const field = (key: string): string => {
    const value = entry[key];
    if (typeof value !== 'string') throw new FormatError(`${place}: ${key} is not a string`);
    return value;
  };
  const size = (value: unknown, key: string): number => {
    if (!Number.isSafeInteger(value) || (value as number) < 0) {
      throw new FormatError(`${place}: wrong ${key}`, { expected: 'a whole number', actual: value });
    }
    return value as number;
  };
  const name = field('name');
  if (name === SAFETENSORS_METADATA_KEY)
    throw new FormatError(`${place}: its name is reserved`, { actual: name });
  const file = field('file');
  if (!isSafeFileName(file)) {
    throw new FormatError(`${place}: wrong file`, {
      expected: 'a plain file name',
      actual: file,
    });
  }
  const format = field('format');
  if (format !== 'hct' && format !== 'raw') {
    throw new FormatError(`${place}: unknown format`, { expected: 'hct or raw', actual: format });
  }
  const xxh3 = field('xxh3');
  if (!/^[0-9a-f]{16}$/.test(xxh3)) {
    throw new FormatError(`${place}: wrong xxh3`, { expected: '16 hexadecimal digits', actual: xxh3 });
  }
  const dtype = field('dtype');
  if (!isSafetensorsDType(dtype)) {
    throw new FormatError(`${place}: unknown dtype`, {
      expected: SAFETENSORS_DTYPES.join(', '),
      actual: dtype,
    });
  }
  if (!Array.isArray(entry.shape)) throw new FormatError(`${place}: shape is not an array`);
  checkLimit(
    limits,
    'rank',
    entry.shape.length,
    'Cannot read the manifest: a tensor has too many dimensions',
  );
  const shape = entry.shape.map((dimension) => size(dimension, 'shape'));
  const byteLength = size(entry.byteLength, 'byteLength');
  if (byteLength !== safetensorsByteLength(dtype, shape)) {
    throw new FormatError(`${place}: wrong byteLength of ${dtype} ${show(shape)}`, {
      expected: safetensorsByteLength(dtype, shape),
      actual: byteLength,
    });
  }
  return {
    name,
    dtype,
    shape,
    byteLength,
    xxh3,
    file,
    format,
    fileSize: size(entry.fileSize, 'fileSize'),
  };
}

function parseMetadata(value: unknown): Map<string, string> {
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(asRecord(value, 'Cannot read the manifest: its metadata'))) {
    if (typeof text !== 'string') {
      throw new FormatError(`Cannot read the manifest: the metadata ${quote(key)} is not a string`);
    }
    metadata.set(key, text);
  }
  return metadata;
}

function asRecord(value: unknown, subject: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${subject} is not an object`);
  }
  return value as Record<string, unknown>;
}

function requireDistinct<T>(items: readonly T[], what: string, key: (item: T) => string): void {
  const seen = new Set<string>();
  for (const item of items) {
    if (seen.has(key(item))) {
      throw new FormatError(`Cannot read the manifest: two ${what}`, { actual: key(item) });
    }
    seen.add(key(item));
  }
}
