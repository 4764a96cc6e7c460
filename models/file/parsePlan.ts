import { FieldReader, unzigzag } from '../../src/bytes/fieldReader.js';
import { decodeText } from '../../src/bytes/json.js';
import { readVarint } from '../../src/bytes/varint.js';
import {
  type AllLimits,
  allocating,
  checkLimit,
  type LimitsOption,
  limitsOf,
} from '../../src/checks/limits.js';
import { check, having } from '../../src/checks/options.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import { lz4DecompressInto } from '../../src/kernels/lz4/block.js';
import { unpackHeader } from './packedHeader.js';
import {
  COSINE_SCALE,
  type EncodedTensorPlan,
  formatHash,
  MAX_FILES,
  MODEL_FILE_VERSION,
  type ModelPlan,
  PLAN_KEY,
  roundedWeight,
  type SourceFile,
  type TensorPlan,
  VERSION_KEY,
  WEIGHT,
} from './plan.js';

const CANNOT = 'Cannot read the plan of the model file';

/** The most that a block of LZ4 grows by: 255 bytes for a byte of a length. */
const MAX_RATIO = 255;

/** @throws FormatError, UnsupportedError, LimitError, CodecError */
export function parseModelPlan(metadata: ReadonlyMap<string, string>, options: LimitsOption = {}): ModelPlan {
  const limits = limitsOf(options);
  check('metadata', metadata, having<ReadonlyMap<string, string>>('get', 'a Map of strings'));
  const version = metadata.get(VERSION_KEY);
  if (version !== String(MODEL_FILE_VERSION)) {
    const reason =
      Number(version) > 0 && Number(version) < MODEL_FILE_VERSION
        ? `version ${Number(version)} was never released; encode the model again`
        : 'unsupported version';
    throw new UnsupportedError(`Cannot read the model file: ${reason}`, {
      expected: MODEL_FILE_VERSION,
      actual: version,
    });
  }
  const fields = new FieldReader(planBytes(metadata.get(PLAN_KEY) ?? '', limits), 'plan of the model file');
  const files = sourceFiles(fields, limits);
  const index = readFlag(fields) ? readText(fields) : undefined;
  const fragments = repeated(fields, checkedCount(fields.varint(), limits), () => fields.varint());
  const weights = repeated(fields, fragments.length, () => readWeight(fields));
  const hashes = repeated(fields, fragments.length, () => formatHash(fields.u64()));
  for (const count of fragments) checkLimit(limits, 'fragments', count, `${CANNOT}: too many fragments`);
  const pieces = fragments.map((count) => (count === 0 ? 1 : count + 1));
  checkedCount(sumOf(pieces), limits);
  const sizes = fragments.map((count) =>
    count === 0 ? [] : repeated(fields, count + 1, () => fields.varint()),
  );
  const cosines = readCosines(fields, sumOf(fragments));
  let at = 0;
  const tensors = fragments.map((count, i): TensorPlan => {
    const encoded: EncodedTensorPlan | undefined =
      count === 0 ? undefined : { sizes: sizes[i]!, cosines: cosines.slice(at, at + count) };
    at += count;
    return { weight: weights[i]!, hash: hashes[i]!, encoded };
  });
  const order = readOrder(fields, pieces);
  if (fields.position < fields.bytes.length) throw invalid(fields, 'what follows it');
  return { files, index, tensors, order };
}

function planBytes(text: string, limits: AllLimits): Uint8Array {
  let stored: Uint8Array;
  try {
    const characters = atob(text);
    stored = new Uint8Array(characters.length);
    for (let i = 0; i < stored.length; i++) stored[i] = characters.charCodeAt(i);
  } catch (cause) {
    throw new FormatError(`${CANNOT}: it is not Base64`, { cause });
  }
  const length = readVarint(stored, 0);
  if (length === undefined) throw new FormatError(`${CANNOT}: it has no length`);
  checkLimit(limits, 'headerBytes', length.value, `${CANNOT}: it is too long`);
  const block = stored.subarray(length.end);
  if (length.value > MAX_RATIO * block.length) {
    const details = {
      expected: `at most ${MAX_RATIO} times its ${block.length} bytes`,
      actual: length.value,
    };
    throw new FormatError(`${CANNOT}: its length is wrong`, details);
  }
  const bytes = allocating(() => new Uint8Array(length.value));
  try {
    lz4DecompressInto(block, bytes);
  } catch (cause) {
    throw new FormatError(`${CANNOT}: it is damaged`, { cause });
  }
  return bytes;
}

function sourceFiles(fields: FieldReader, limits: AllLimits): SourceFile[] {
  const count = fields.varint();
  if (count < 1 || count > MAX_FILES) {
    const details = { expected: `1 to ${MAX_FILES}`, actual: count };
    throw new FormatError(`${CANNOT}: it has no source files, or too many`, details);
  }
  let before = 0;
  return repeated(fields, count, () => {
    const name = readText(fields);
    const header = unpackHeader(readText(fields), limits, before);
    before += header.length;
    return readFlag(fields) ? { name, header, bare: true } : { name, header };
  });
}

/**
 * Numbers of tensors, each as the difference from the one before it.
 * @param pieces of each tensor
 */
function readOrder(fields: FieldReader, pieces: readonly number[]): readonly number[] {
  const missing = [...pieces];
  let tensor = 0;
  return repeated(fields, sumOf(pieces), () => {
    tensor += unzigzag(fields.varint());
    const left = missing[tensor];
    if (!left)
      throw new FormatError(`${CANNOT}: its order does not have each piece once`, { actual: tensor });
    missing[tensor] = left - 1;
    return tensor;
  });
}

/** Of tensors or their pieces. @throws LimitError */
function checkedCount(count: number, limits: AllLimits): number {
  checkLimit(limits, 'tensors', count, `${CANNOT}: it has too many pieces`);
  return count;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** As many as `count` says, each of which takes at least a byte. */
function repeated<T>(fields: FieldReader, count: number, read: () => T): T[] {
  if (count > fields.bytes.length - fields.position) throw invalid(fields, 'a count');
  return Array.from({ length: count }, read);
}

function readFlag(fields: FieldReader): boolean {
  const value = fields.varint();
  if (value > 1) throw invalid(fields, 'a flag');
  return value === 1;
}

function readText(fields: FieldReader): string {
  return decodeText(fields.take(fields.varint()), CANNOT);
}

function readWeight(fields: FieldReader): number {
  const weight = fields.f32();
  if (WEIGHT(weight)) throw invalid(fields, 'a weight');
  return roundedWeight(weight);
}

function readCosines(fields: FieldReader, count: number): number[] {
  const bytes = fields.take(3 * count);
  return Array.from({ length: count }, (_, i) => {
    const below = bytes[i]! | (bytes[count + i]! << 8) | (bytes[2 * count + i]! << 16);
    if (below > COSINE_SCALE) throw invalid(fields, 'a cosine');
    return (COSINE_SCALE - below) / COSINE_SCALE;
  });
}

function invalid({ position: offset }: FieldReader, part: string): FormatError {
  return new FormatError(`${CANNOT}: ${part} is invalid`, { offset });
}
