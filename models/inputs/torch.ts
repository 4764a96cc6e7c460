import { type JoinedPart, sourcePart } from '../../sources/joined.js';
import { inTurns } from '../../src/async/steps.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { type AllLimits, Budget, checkLimit, checkTensorBytes, limitsOf } from '../../src/checks/limits.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import {
  SAFETENSORS_METADATA_KEY,
  type SafetensorsTensor,
  safetensorsByteLength,
} from '../../src/safetensors/header.js';
import type { RandomAccessSource } from '../../src/source.js';
import { readStateDict, type TorchTensor } from '../../src/torch/stateDict.js';
import { stridedElements } from '../../src/torch/stridedElements.js';
import type { ZipEntry } from '../../src/zip/scanZip.js';
import type { ModelSourceFile } from '../file/sourceFiles.js';
import type { ForeignModel, ForeignModelOptions } from './foreignModel.js';
import { layoutOf } from './layout.js';
import { weightsFile } from './weightsFile.js';
import { wholeParts } from './wholeParts.js';
import { readZipEntry } from './zipEntry.js';

const WHAT = 'Cannot read the PyTorch checkpoint';

/** A tensor, and where its storage is. */
interface PlacedTensor extends TorchTensor {
  /** Of its first element in the archive. */
  readonly place: number;
}

/**
 * A checkpoint of PyTorch. If all of its tensors are stored row by row and in little-endian order, they are ranges of the archive,
 * and all else is carried as it is; otherwise it becomes a safetensors file.
 */
export async function openTorch(
  source: RandomAccessSource,
  entries: readonly ZipEntry[],
  options: ForeignModelOptions,
): Promise<ForeignModel> {
  const { name = 'model.pt', limits } = options;
  const all = limitsOf({ limits });
  const pickle = entries.find((entry) => /(^|\/)data\.pkl$/.test(entry.name))!;
  const root = pickle.name.slice(0, -'data.pkl'.length);
  checkLimit(all, 'manifestBytes', pickle.size, `${WHAT}: its list of tensors is too large`);
  const isBigEndian = await readOrder(source, entries, root, options);
  const tensors = readStateDict(await readZipEntry(source, pickle, options), all);
  const storages = new Map(entries.map((entry) => [entry.name, entry]));
  const placed = tensors.map((tensor) => place(tensor, storages.get(`${root}data/${tensor.storage}`)));
  const asStored = !isBigEndian && placed.every(({ isContiguous }) => isContiguous);
  const file = asStored
    ? { name, source, layout: layoutOf(name, source.size!, withoutAliases(placed), all) }
    : convertedFile(placed, source, isBigEndian, name, all);
  return { files: [file], beside: [], close: async () => {} };
}

/** Whether storages are big-endian: they have the order of bytes of the machine that has written them. */
async function readOrder(
  source: RandomAccessSource,
  entries: readonly ZipEntry[],
  root: string,
  options: ForeignModelOptions,
): Promise<boolean> {
  const entry = entries.find(({ name }) => name === `${root}byteorder`);
  if (entry === undefined || entry.size > 16) return false;
  const order = new TextDecoder().decode(await readZipEntry(source, entry, options));
  if (order !== 'little' && order !== 'big')
    throw new UnsupportedError(`${WHAT}: its order of bytes is neither little nor big`, { actual: order });
  return order === 'big';
}

function place(tensor: TorchTensor, storage: ZipEntry | undefined): PlacedTensor {
  const { name, offset, span } = tensor;
  if (storage === undefined)
    throw new FormatError(`${WHAT}: the storage of a tensor is missing`, { tensor: name });
  if (storage.isDeflated) throw new UnsupportedError(`${WHAT}: a storage is compressed`, { tensor: name });
  if (offset + span > storage.size) {
    const details = { tensor: name, expected: `at least ${offset + span} bytes`, actual: storage.size };
    throw new FormatError(`${WHAT}: the storage of a tensor is too short`, details);
  }
  return { ...tensor, place: storage.offset + offset };
}

/** Tensors that are the same elements in the same order are listed once, under the first name. */
function convertedFile(
  tensors: readonly PlacedTensor[],
  source: RandomAccessSource,
  isBigEndian: boolean,
  name: string,
  limits: AllLimits,
): ModelSourceFile {
  const whole = wholeParts();
  // A tensor can have the same elements many times, and many tensors can be parts of one storage.
  const budget = new Budget(limits, source.size);
  const names = new Set([SAFETENSORS_METADATA_KEY]);
  const seen = new Set<string>();
  const contents = new Map<PlacedTensor, JoinedPart>();
  for (const tensor of tensors) {
    const { dtype, shape, strides, byteLength, span } = tensor;
    const same = JSON.stringify([tensor.place, dtype, shape, strides]);
    if (seen.has(same)) continue;
    seen.add(same);
    if (names.has(tensor.name)) {
      throw new FormatError(`${WHAT}: two of its tensors have the same name`, { tensor: tensor.name });
    }
    names.add(tensor.name);
    checkTensorBytes(limits, Math.max(byteLength, span), tensor.name);
    budget.spend({ bytes: byteLength, steps: span });
    const elementSize = safetensorsByteLength(dtype, [1])!;
    const numberSize = dtype === 'C64' ? elementSize / 2 : elementSize;
    const strided = { shape, strides, elementSize, numberSize, isBigEndian };
    const isPlain = tensor.isContiguous && (!isBigEndian || numberSize === 1);
    const read = async (options: AbortOptions) =>
      inTurns(stridedElements(await source.read(tensor.place, span, options), strided), options.signal);
    contents.set(tensor, isPlain ? sourcePart(source, tensor.place, byteLength) : whole(byteLength, read));
  }
  return weightsFile(name, /\.(pt|pth|bin|ckpt)$/i, contents).file;
}

/** Tensors whose elements are those of another one, or some of them, are not listed: the first or largest is. */
function withoutAliases(tensors: readonly PlacedTensor[]): SafetensorsTensor[] {
  const kept: SafetensorsTensor[] = [];
  let end = 0;
  const located = tensors.map(({ name, dtype, shape, byteLength, place: offset }) => {
    return { name, dtype, shape, byteLength, offset };
  });
  const byPlace = located.sort((a, b) => a.offset - b.offset || b.byteLength - a.byteLength);
  for (const tensor of byPlace) {
    const within = tensor.byteLength > 0 && tensor.offset + tensor.byteLength <= end;
    if (within) continue;
    kept.push(tensor);
    end = Math.max(end, tensor.offset + tensor.byteLength);
  }
  return kept;
}
