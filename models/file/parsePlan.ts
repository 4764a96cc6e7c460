import { viewOf } from '../../src/bytes/binary.js';
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
  MAX_WEIGHT,
  MODEL_FILE_VERSION,
  type ModelPlan,
  PLAN_KEY,
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
    throw new UnsupportedError('Cannot read the model file: unsupported version', {
      expected: MODEL_FILE_VERSION,
      actual: version,
    });
  }
  const fields = new PlanFields(planBytes(metadata.get(PLAN_KEY) ?? '', limits));
  const files = fields.repeated(fields.number(), () => sourceFile(fields, limits));
  if (files.length === 0) throw new FormatError(`${CANNOT}: it has no source files`);
  const index = fields.flag() ? fields.text() : undefined;
  const fragments = fields.repeated(checkedCount(fields.number(), limits), () => fields.number());
  const weights = fields.repeated(fragments.length, () => fields.weight());
  const hashes = fields.repeated(fragments.length, () => fields.hash());
  const sizes = fragments.map((count) => {
    checkLimit(limits, 'fragments', count, `${CANNOT}: too many fragments`);
    return count === 0 ? [] : fields.repeated(count + 1, () => fields.number());
  });
  const cosines = fields.cosines(sumOf(fragments));
  let at = 0;
  const tensors = fragments.map((count, i): TensorPlan => {
    const encoded: EncodedTensorPlan | undefined =
      count === 0 ? undefined : { sizes: sizes[i]!, cosines: cosines.slice(at, at + count) };
    at += count;
    return { weight: weights[i]!, hash: hashes[i]!, encoded };
  });
  const order = readOrder(fields, tensors, limits);
  fields.assertEnd();
  return { files, index, tensors, order };
}

function planBytes(text: string, limits: AllLimits): Uint8Array {
  let stored: Uint8Array;
  try {
    stored = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
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

function sourceFile(fields: PlanFields, limits: AllLimits): SourceFile {
  const name = fields.text();
  const header = unpackHeader(fields.text(), limits);
  return fields.flag() ? { name, header, bare: true } : { name, header };
}

/** Numbers of tensors, each as the difference from the one before it. */
function readOrder(fields: PlanFields, tensors: readonly TensorPlan[], limits: AllLimits): readonly number[] {
  const missing = tensors.map(({ encoded }) => encoded?.sizes.length ?? 1);
  let tensor = 0;
  return fields.repeated(checkedCount(sumOf(missing), limits), () => {
    tensor += fields.difference();
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

/** The fields of a plan, one after another. Nothing is believed that the bytes which are left cannot hold. */
class PlanFields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    const read = readVarint(this.#bytes, this.#at);
    if (read === undefined || !Number.isSafeInteger(read.value)) throw this.#broken('a number');
    this.#at = read.end;
    return read.value;
  }

  /** A list, each entry of which takes at least a byte. */
  repeated<T>(count: number, read: () => T): T[] {
    if (count > this.#bytes.length - this.#at) throw this.#broken('a list');
    return Array.from({ length: count }, read);
  }

  difference(): number {
    const value = this.number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  flag(): boolean {
    const value = this.number();
    if (value > 1) throw this.#broken('a flag');
    return value === 1;
  }

  text(): string {
    return decodeText(this.#take(this.number()), CANNOT);
  }

  weight(): number {
    const weight = viewOf(this.#take(4)).getFloat32(0, true);
    if (WEIGHT(weight)) throw this.#broken('a weight');
    // What an F32 is exact to.
    return Math.min(MAX_WEIGHT, Number(weight.toPrecision(6)));
  }

  hash(): string {
    return formatHash(viewOf(this.#take(8)).getBigUint64(0, true));
  }

  cosines(count: number): number[] {
    const bytes = this.#take(3 * count);
    return Array.from({ length: count }, (_, i) => {
      const below = bytes[i]! | (bytes[count + i]! << 8) | (bytes[2 * count + i]! << 16);
      if (below > COSINE_SCALE) throw this.#broken('a cosine');
      return (COSINE_SCALE - below) / COSINE_SCALE;
    });
  }

  assertEnd(): void {
    if (this.#at < this.#bytes.length) throw this.#broken('the end');
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.#broken('a field');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #broken(part: string): FormatError {
    return new FormatError(`${CANNOT}: ${part} is invalid, or longer than what it is in`, {
      offset: this.#at,
    });
  }
}
