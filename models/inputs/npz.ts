import { readNpyHeader } from '../../readers/npyHeader.js';
import { bytesPart, joinedSource, sourcePart } from '../../sources/joined.js';
import { randomAccessSource } from '../../sources/randomAccess.js';
import { inTurns } from '../../src/async/steps.js';
import { checkTensorBytes, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { FormatError } from '../../src/errors.js';
import { isTransposed, rowMajor } from '../../src/npy/elements.js';
import type { NpyHeader } from '../../src/npy/header.js';
import { SAFETENSORS_METADATA_KEY, type SafetensorsTensor } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { ZipEntry } from '../../src/zip/scanZip.js';
import type { ForeignModel, ForeignModelOptions } from './foreignModel.js';
import { layoutOf } from './layout.js';
import { wholeParts } from './wholeParts.js';
import { readZipEntry, readZipEntryStart } from './zipEntry.js';

/** Headers of arrays are no longer. */
const HEADER_BYTES = 2 ** 16 + 64;

interface NpzArray {
  readonly name: string;
  readonly entry: ZipEntry;
  readonly header: NpyHeader;
}

/**
 * An archive of NumPy's arrays. If all of them are stored, row by row and in little-endian order, as `numpy.savez` does, they are
 * ranges of the archive, and all else is carried as it is; otherwise the archive becomes a safetensors file.
 */
export async function openNpz(
  source: RandomAccessSource,
  entries: readonly ZipEntry[],
  options: ForeignModelOptions,
): Promise<ForeignModel> {
  const { name = 'model.npz', limits } = options;
  const arrays: NpzArray[] = [];
  const names = new Set([`${SAFETENSORS_METADATA_KEY}.npy`]);
  for (const entry of entries) {
    if (!entry.name.endsWith('.npy')) continue;
    if (names.has(entry.name)) {
      throw new FormatError('Cannot read the archive: two of its files have the same name', {
        name: entry.name,
      });
    }
    names.add(entry.name);
    const file = await openEntry(source, entry, options);
    const header = await readNpyHeader(file, limitsOf({ limits }), options);
    checkTensorBytes(limitsOf({ limits }), header.byteLength, entry.name);
    arrays.push({ name: entry.name.slice(0, -'.npy'.length), entry, header });
  }
  const asStored = arrays.every(
    ({ entry, header }) => !entry.isDeflated && !header.bigEndian && !isTransposed(header),
  );
  const close = async () => {};
  if (asStored) {
    const layout = layoutOf(name, source.size!, arrays.map(storedTensor), limitsOf({ limits }));
    return { files: [{ name, source, layout }], beside: [], close };
  }
  const { bytes } = serializeSafetensorsHeader(
    arrays.map(({ name: array, header: { dtype, shape } }) => ({ name: array, dtype, shape })),
  );
  const whole = wholeParts();
  const parts = arrays.map(({ entry, header }) =>
    whole(header.byteLength, ({ signal }) => convert(source, entry, header, { limits, signal })),
  );
  const weightsName = `${name.replace(/\.npz$/i, '')}.safetensors`;
  const files = [{ name: weightsName, source: joinedSource([bytesPart(bytes), ...parts], weightsName) }];
  return { files, beside: [], close };
}

async function openEntry(
  source: RandomAccessSource,
  entry: ZipEntry,
  options: ForeignModelOptions,
): Promise<RandomAccessSource> {
  if (!entry.isDeflated) return joinedSource([sourcePart(source, entry.offset, entry.size)], entry.name);
  const start = await readZipEntryStart(source, entry, HEADER_BYTES, options);
  return randomAccessSource(entry.size, async (offset, length) => start.subarray(offset, offset + length));
}

function storedTensor({
  name,
  entry,
  header: { dtype, shape, byteLength, dataStart },
}: NpzArray): SafetensorsTensor {
  return { name, dtype, shape, byteLength, offset: entry.offset + dataStart };
}

async function convert(
  source: RandomAccessSource,
  entry: ZipEntry,
  header: NpyHeader,
  options: OpenOptions,
): Promise<Uint8Array> {
  const { byteLength, dataStart } = header;
  const file = await readZipEntry(source, entry, options);
  return inTurns(rowMajor(header, file.subarray(dataStart, dataStart + byteLength)), options.signal);
}
