import { checkLimit, limitsOf } from '../../src/checks/limits.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import type { SafetensorsTensor } from '../../src/safetensors/header.js';
import type { RandomAccessSource } from '../../src/source.js';
import { readStateDict, type TorchTensor } from '../../src/torch/stateDict.js';
import type { ZipEntry } from '../../src/zip/scanZip.js';
import type { ForeignModel, ForeignModelOptions } from './foreignModel.js';
import { layoutOf } from './layout.js';
import { readZipEntry } from './zipEntry.js';

const WHAT = 'Cannot read the PyTorch checkpoint';

/** A checkpoint of PyTorch: tensors are ranges of the archive, and all else is carried as it is. */
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
  await assertOrder(source, entries, root, options);
  const tensors = readStateDict(await readZipEntry(source, pickle, options), all);
  const storages = new Map(entries.map((entry) => [entry.name, entry]));
  const placed = tensors.map((tensor) => place(tensor, storages.get(`${root}data/${tensor.storage}`)));
  const parts = withoutAliases(placed);
  return {
    files: [{ name, source, layout: layoutOf(name, source.size!, parts, all) }],
    beside: [],
    close: async () => {},
  };
}

/** Storages have the order of bytes of the machine that has written them; all that is common is little-endian. */
async function assertOrder(
  source: RandomAccessSource,
  entries: readonly ZipEntry[],
  root: string,
  options: ForeignModelOptions,
): Promise<void> {
  const entry = entries.find(({ name }) => name === `${root}byteorder`);
  if (entry === undefined || entry.size > 16) return;
  const order = new TextDecoder().decode(await readZipEntry(source, entry, options));
  if (order !== 'little')
    throw new UnsupportedError(`${WHAT}: its order of bytes is not little`, { actual: order });
}

function place(
  { name, dtype, shape, byteLength, offset }: TorchTensor,
  storage: ZipEntry | undefined,
): SafetensorsTensor {
  if (storage === undefined) throw new FormatError(`${WHAT}: the storage of a tensor is missing`, { name });
  if (storage.isDeflated) throw new UnsupportedError(`${WHAT}: a storage is compressed`, { name });
  if (offset + byteLength > storage.size) {
    const details = { name, expected: `at least ${offset + byteLength} bytes`, actual: storage.size };
    throw new FormatError(`${WHAT}: the storage of a tensor is too short`, details);
  }
  return { name, dtype, shape, byteLength, offset: storage.offset + offset };
}

/** Tensors whose elements are those of another one, or some of them, are not listed: the first or largest is. */
function withoutAliases(tensors: readonly SafetensorsTensor[]): SafetensorsTensor[] {
  const kept: SafetensorsTensor[] = [];
  let end = 0;
  const byPlace = [...tensors].sort((a, b) => a.offset - b.offset || b.byteLength - a.byteLength);
  for (const tensor of byPlace) {
    const within = tensor.byteLength > 0 && tensor.offset + tensor.byteLength <= end;
    if (within) continue;
    kept.push(tensor);
    end = Math.max(end, tensor.offset + tensor.byteLength);
  }
  return kept;
}
