import type { Steps } from '../async/steps.js';
import { parseJson } from '../bytes/json.js';
import { type AllLimits, allocating, checkLimit, checkTensorBytes } from '../checks/limits.js';
import { FormatError, UnsupportedError } from '../errors.js';
import {
  SAFETENSORS_METADATA_KEY,
  type SafetensorsDType,
  safetensorsByteLength,
} from '../safetensors/header.js';

/** Files whose bytes, one after another, are those of weights. */
export interface TfjsGroup {
  readonly paths: readonly string[];
  readonly weights: readonly TfjsWeight[];
  /** Bytes of all weights, as they are in the files. */
  readonly byteLength: number;
}

/** A weight, and where it is in its group. */
export interface TfjsWeight {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly stored: StoredWeight;
}

/** Bytes in the files of a group: elements as they are, or whole numbers that stand for `scale * q + min`. */
export interface StoredWeight {
  readonly offset: number;
  readonly byteLength: number;
  readonly quantization?: Quantization | undefined;
}

export interface Quantization {
  /** Bytes of a whole number, which is not negative. */
  readonly width: 1 | 2;
  readonly scale: number;
  readonly min: number;
}

const WHAT = 'Cannot read the weights of model.json';

const DTYPES: Readonly<Record<string, SafetensorsDType>> = {
  float32: 'F32',
  int32: 'I32',
  bool: 'BOOL',
  complex64: 'C64',
};

/**
 * The weights of a network of TensorFlow.js, by its `model.json`, or by the manifest of weights alone. Weights that are quantized to
 * `float16` are F16; those of `uint8` and `uint16` are the numbers that they stand for.
 * @throws FormatError, LimitError; UnsupportedError for weights that are texts
 */
export function parseWeightsManifest(
  json: Uint8Array,
  name: string,
  limits: AllLimits,
): readonly TfjsGroup[] {
  const root = parseJson(json, WHAT, limits.manifestBytes, name);
  const manifest = Array.isArray(root)
    ? root
    : (Object(root) as { weightsManifest?: unknown }).weightsManifest;
  if (!Array.isArray(manifest)) throw new FormatError(`${WHAT}: it has no weightsManifest`, { name });
  const names = new Set([SAFETENSORS_METADATA_KEY]);
  const paths = new Set<string>();
  const groups = manifest.map((group: unknown) => {
    const { paths: files, weights } = Object(group) as { paths?: unknown; weights?: unknown };
    if (
      !Array.isArray(weights) ||
      !Array.isArray(files) ||
      !files.every((path) => typeof path === 'string')
    ) {
      throw new FormatError(`${WHAT}: a group has no paths and weights`, { name });
    }
    for (const path of files) {
      if (paths.has(path)) throw new FormatError(`${WHAT}: a file is listed twice`, { file: path });
      paths.add(path);
    }
    checkLimit(limits, 'tensors', paths.size, `${WHAT}: it has too many files`);
    let end = 0;
    const read = weights.map((weight: unknown) => {
      const found = weightOf(weight, end, limits);
      if (names.has(found.name)) {
        throw new FormatError(`${WHAT}: two of them have the same name`, { tensor: found.name });
      }
      names.add(found.name);
      checkLimit(limits, 'tensors', names.size - 1, `${WHAT}: there are too many`);
      end += found.stored.byteLength;
      return found;
    });
    if (!Number.isSafeInteger(end)) throw new FormatError(`${WHAT}: a group is too large`, { actual: end });
    return { paths: files as string[], weights: read, byteLength: end };
  });
  return groups;
}

function weightOf(weight: unknown, offset: number, limits: AllLimits): TfjsWeight {
  const { name, shape, dtype: type, quantization } = Object(weight) as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || /\p{Surrogate}/u.test(name)) {
    throw new FormatError(`${WHAT}: one has no name`, { actual: name });
  }
  if (!Array.isArray(shape)) throw new FormatError(`${WHAT}: one has no shape`, { tensor: name });
  checkLimit(limits, 'rank', shape.length, `${WHAT}: one has too many dimensions`, { tensor: name });
  if (type === 'string')
    throw new UnsupportedError(`${WHAT}: one has texts in place of numbers`, { tensor: name });
  const dtype = typeof type === 'string' && Object.hasOwn(DTYPES, type) ? DTYPES[type] : undefined;
  if (dtype === undefined) {
    const details = { tensor: name, expected: Object.keys(DTYPES).join(', '), actual: type };
    throw new FormatError(`${WHAT}: the element type of one is not known`, details);
  }
  const isCount = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  const byteLength = shape.every(isCount) ? safetensorsByteLength(dtype, shape) : undefined;
  if (byteLength === undefined)
    throw new FormatError(`${WHAT}: the shape of one is not one`, { tensor: name, actual: shape });
  checkTensorBytes(limits, byteLength, name);
  const plain = { name, dtype, shape, byteLength, stored: { offset, byteLength } };
  return quantization === undefined || quantization === null ? plain : quantized(plain, quantization);
}

function quantized(weight: TfjsWeight, quantization: unknown): TfjsWeight {
  const { name, dtype, shape, byteLength, stored } = weight;
  const { dtype: type, scale, min } = Object(quantization) as Readonly<Record<string, unknown>>;
  if (type === 'float16' && dtype === 'F32') {
    const half = byteLength / 2;
    return {
      name,
      dtype: 'F16',
      shape,
      byteLength: half,
      stored: { offset: stored.offset, byteLength: half },
    };
  }
  const width = type === 'uint8' ? 1 : type === 'uint16' ? 2 : undefined;
  const isKnown = width !== undefined && (dtype === 'F32' || dtype === 'I32');
  if (!isKnown || typeof scale !== 'number' || typeof min !== 'number') {
    const details = {
      tensor: name,
      expected: 'uint8 or uint16 with scale and min, or float16',
      actual: type,
    };
    throw new FormatError(`${WHAT}: the quantization of one is not known`, details);
  }
  const size = (byteLength / 4) * width;
  return {
    ...weight,
    stored: { offset: stored.offset, byteLength: size, quantization: { width, scale, min } },
  };
}

/** Elements that one step of work makes numbers of. */
const STEP = 2 ** 17;

/** The numbers that quantized elements stand for, as TensorFlow.js makes them: float32, or rounded to int32. */
export function* dequantizeWeight(
  bytes: Uint8Array,
  dtype: SafetensorsDType,
  { width, scale, min }: Quantization,
): Steps<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / width;
  const out = allocating(() => new DataView(new ArrayBuffer(4 * count)));
  for (let i = 0; i < count; ) {
    for (const end = Math.min(count, i + STEP); i < end; i++) {
      const value = (width === 1 ? view.getUint8(i) : view.getUint16(2 * i, true)) * scale + min;
      if (dtype === 'I32') out.setInt32(4 * i, Math.round(value), true);
      else out.setFloat32(4 * i, value, true);
    }
    yield;
  }
  return new Uint8Array(out.buffer);
}
