import { bytesSource } from '../../sources/bytes.js';
import type { Limits, OpenOptions } from '../../src/checks/limits.js';
import { SAFETENSORS_LENGTH_SIZE } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { type RandomAccessSource, sourceName } from '../../src/source.js';
import { type Tensor, viewElements } from '../../src/tensor/tensor.js';
import type { ManifestTensor, ModelManifest } from '../directory/manifest.js';
import { checkFileSize, ModelReader, type OpenModelFile, openHct } from '../directory/modelReader.js';
import type { SourceFile } from '../file/plan.js';
import { readPlainRows } from '../rows.js';
import { tensorWeight } from '../tensorWeight.js';
import type { LoadableTensor, ModelContent, OriginalFile } from './content.js';
import { hashOfText } from './textHash.js';
import { WholeDecoder } from './wholeTensor.js';

/** Directories load on demand, and need it first. */
export { readManifest } from '../directory/modelReader.js';

/** A directory of HCT files with a manifest: one file per tensor, one piece per file. */
export function openDirectory(
  manifest: ModelManifest,
  openFile: OpenModelFile,
  options: OpenOptions,
): ModelContent {
  // Fetched bytes are decoded, and verified against the manifest, by the same reader that reads from files.
  const fetched = new Map<string, RandomAccessSource>();
  const open: OpenModelFile = (name) => {
    return fetched.get(name) ?? openFile(name);
  };
  const reader = new ModelReader(manifest, open, options);
  const decode = async (
    { name, file }: ManifestTensor,
    source: RandomAccessSource,
    limits: Limits,
  ): Promise<Tensor> => {
    fetched.set(file, source);
    try {
      return await reader.read(name, { limits });
    } finally {
      fetched.delete(file);
    }
  };
  return {
    format: 'directory',
    metadata: manifest.metadata,
    tensors: manifest.tensors.map((tensor): LoadableTensor => {
      const { name, dtype, shape, byteLength, fileSize } = tensor;
      let opened: RandomAccessSource | undefined;
      const nameOf = () => (opened && sourceName(opened)) ?? tensor.file;
      const file = {
        get name() {
          return nameOf();
        },
        acquire: async () => {
          opened = await openFile(tensor.file);
          return opened;
        },
        release: async (source: RandomAccessSource) => source.close?.(),
      };
      return {
        name,
        dtype,
        shape,
        byteLength,
        weight: isBetween(tensor, manifest) ? 0 : tensorWeight(shape),
        pieces: [{ file, offset: 0, length: fileSize, cosine: 1 }],
        createDecoder: async ({ limits }) =>
          new WholeDecoder(async (bytes) => {
            // Of a file behind a URL, the size is known once its bytes have come.
            if (opened !== undefined) checkFileSize(tensor, opened);
            return decode(tensor, { ...bytesSource(bytes), name: nameOf() }, limits);
          }),
        readRows: (start, end, rowOptions) =>
          readRows(tensor, openFile, start, end, { ...options, ...rowOptions }),
      };
    }),
    files: plainFiles(manifest),
    close: async () => {},
  };
}

/** Whether it is what is around the tensors of a file of another format. */
function isBetween({ name }: ManifestTensor, { files }: ModelManifest): boolean {
  return files?.some(({ bare, name: file }) => bare && name.startsWith(`${file}:`)) ?? false;
}

/** The files that the directory was made from; where it does not say so, the safetensors file that it decodes to. */
function plainFiles({ tensors, metadata, files }: ModelManifest): OriginalFile[] {
  const hashes = tensors.map(({ xxh3 }) => xxh3);
  const made = ({ header, ...file }: SourceFile): OriginalFile => ({
    ...file,
    header,
    version: () => hashOfText([header, ...hashes]),
  });
  if (files !== undefined) return files.map(made);
  const { bytes } = serializeSafetensorsHeader(tensors, metadata);
  const header = new TextDecoder().decode(bytes.subarray(SAFETENSORS_LENGTH_SIZE));
  return [made({ name: 'model.safetensors', header })];
}

async function readRows(
  tensor: ManifestTensor,
  openFile: OpenModelFile,
  start: number,
  end: number,
  options: OpenOptions,
): Promise<Tensor> {
  const source = await openFile(tensor.file);
  try {
    const rows =
      tensor.format === 'raw'
        ? await readPlainRows({ ...tensor, offset: 0 }, source, start, end, options)
        : await readHctRows(tensor, source, start, end, options);
    checkFileSize(tensor, source);
    return rows;
  } finally {
    await source.close?.();
  }
}

/** In bytes, because the file may hold another shape: HCT version 1 has at most three dimensions. */
async function readHctRows(
  tensor: ManifestTensor,
  source: RandomAccessSource,
  start: number,
  end: number,
  options: OpenOptions,
): Promise<Tensor> {
  const { dtype, shape, byteLength } = tensor;
  const reader = await openHct(source, tensor, options);
  const rowBytes = shape[0] === 0 ? 0 : byteLength / shape[0]!;
  const bytes = await reader.read(start * rowBytes, end * rowBytes, options);
  return { dtype, shape: [end - start, ...shape.slice(1)], data: viewElements(dtype, bytes) };
}
