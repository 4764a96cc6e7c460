import { type AllLimits, checkLimit } from '../checks/limits.js';
import { FormatError, LimitError, UnsupportedError } from '../errors.js';
import {
  PickleGlobal,
  type PickleMeaning,
  PickleObject,
  type PickleValue,
  readPickle,
} from '../pickle/readPickle.js';
import { type SafetensorsDType, safetensorsByteLength } from '../safetensors/header.js';

/** A tensor of a PyTorch checkpoint: elements of a storage. */
export interface TorchTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** The file of its storage in the archive, where in it the first element is, and bytes from there to the end of the last. */
  readonly storage: string;
  readonly offset: number;
  readonly span: number;
  /** Elements between neighbours along each dimension. */
  readonly strides: readonly number[];
  /** Row by row, without gaps. */
  readonly isContiguous: boolean;
}

const WHAT = 'Cannot read the PyTorch checkpoint';

const STORAGES: Readonly<Record<string, SafetensorsDType>> = {
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.DoubleStorage': 'F64',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
  'torch.ComplexFloatStorage': 'C64',
};

const REBUILD = 'torch._utils._rebuild_tensor_v2';
const PARAMETER = 'torch._utils._rebuild_parameter';
const DICTIONARY = 'collections.OrderedDict';
const SIZE = 'torch.Size';

/** Modules in modules. */
const MAX_DEPTH = 32;

interface Storage {
  readonly key: string;
  readonly dtype: SafetensorsDType;
}

type Unnamed = Omit<TorchTensor, 'name'>;

function meaningOf(limits: AllLimits): PickleMeaning {
  return {
    allows: (name) => name in STORAGES || [REBUILD, PARAMETER, DICTIONARY, SIZE].includes(name),
    call(name, args, count) {
      if (name === DICTIONARY) return dictionary(args[0], count);
      if (name === REBUILD) return rebuild(args, limits);
      // The tensor of a parameter; the numbers of a size.
      return args[0];
    },
    persistent: storageOf,
  };
}

function storageOf(id: PickleValue): PickleObject {
  const [kind, type, key] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PickleGlobal ? STORAGES[type.name] : undefined;
  if (kind === 'storage' && dtype !== undefined && typeof key === 'string') {
    return new PickleObject({ key, dtype } satisfies Storage);
  }
  throw new FormatError(`${WHAT}: it has a storage that is not known`);
}

function dictionary(pairs: PickleValue, count: (values: number) => void): Map<PickleValue, PickleValue> {
  if (!Array.isArray(pairs)) return new Map();
  count(pairs.length);
  return new Map(pairs.map((pair) => (Array.isArray(pair) ? [pair[0], pair[1]] : [undefined, undefined])));
}

/** @param args of PyTorch's function: after the strides, whether it is trained, its hooks, and what else is to be done to it */
function rebuild(args: readonly PickleValue[], limits: AllLimits): PickleObject {
  const [storage, offset, size, stride, , , flags] = args;
  const rank = Array.isArray(size) && Array.isArray(stride) ? Math.max(size.length, stride.length) : 0;
  checkLimit(limits, 'rank', rank, `${WHAT}: a tensor has too many dimensions`);
  const held = storage instanceof PickleObject ? (storage.value as Partial<Storage>) : {};
  const { key, dtype } = held;
  const [shape, strides] = [numbersOf(size), numbersOf(stride)];
  const isRight = shape !== undefined && strides !== undefined && shape.length === strides.length;
  if (key === undefined || dtype === undefined || !isRight || !isCount(offset)) {
    throw new FormatError(`${WHAT}: it has a tensor that is damaged`);
  }
  // Its numbers are not those of its storage.
  if (flags instanceof Map && flags.size > 0) {
    throw new UnsupportedError(`${WHAT}: it has a tensor that is conjugated or negated when it is read`, {
      actual: [...flags.keys()],
    });
  }
  const [byteLength, start] = [safetensorsByteLength(dtype, shape), safetensorsByteLength(dtype, [offset])];
  const last = shape.reduce((sum, length, i) => sum + (length - 1) * strides[i]!, 0);
  const span = byteLength === 0 ? 0 : safetensorsByteLength(dtype, [last + 1]);
  if (byteLength === undefined || start === undefined || span === undefined) {
    throw new FormatError(`${WHAT}: it has a tensor that is too large`, { actual: shape });
  }
  const isContiguous = byteLength === 0 || isRowByRow(shape, strides);
  return new PickleObject({
    ...{ dtype, shape, byteLength, storage: key, offset: start, span, strides, isContiguous },
  } satisfies Unnamed);
}

function isRowByRow(shape: readonly number[], strides: readonly number[]): boolean {
  let inner = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i]! > 1 && strides[i] !== inner) return false;
    inner *= shape[i]!;
  }
  return true;
}

function isCount(value: PickleValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function numbersOf(value: PickleValue): number[] | undefined {
  return Array.isArray(value) && value.every(isCount) ? value : undefined;
}

/**
 * The tensors of a checkpoint, as `torch.save` writes dictionaries of them: names in dictionaries within dictionaries are joined by
 * dots. Values that are no tensors are left out.
 * @param pickle the bytes of `data.pkl`
 * @throws FormatError; UnsupportedError for classes that are not loaded; LimitError
 */
export function readStateDict(pickle: Uint8Array, limits: AllLimits): readonly TorchTensor[] {
  const tensors: TorchTensor[] = [];
  let nameLength = 0;
  const seen = new Set<PickleValue>();
  const visit = (value: PickleValue, name: string, depth: number): void => {
    if (value instanceof PickleObject) {
      const tensor = value.value as Partial<Unnamed>;
      if (tensor.shape === undefined) return;
      // One tensor, and one long key before many, cost a byte or two each time.
      nameLength += name.length;
      checkLimit(limits, 'manifestBytes', nameLength, `${WHAT}: the names of its tensors are too long`);
      checkLimit(limits, 'tensors', tensors.length + 1, `${WHAT}: it has too many tensors`);
      tensors.push({ ...(tensor as Unnamed), name });
      return;
    }
    if (!(value instanceof Map || Array.isArray(value)) || seen.has(value)) return;
    if (depth > MAX_DEPTH) throw new LimitError(`${WHAT}: it is nested too deeply`);
    // Lists in lists that share parts would be walked without end.
    seen.add(value);
    for (const [key, inner] of value.entries()) {
      const isName = typeof key === 'string' || typeof key === 'number';
      if (isName) visit(inner, name === '' ? String(key) : `${name}.${key}`, depth + 1);
    }
  };
  visit(readPickle(pickle, meaningOf(limits)), '', 0);
  return tensors;
}
