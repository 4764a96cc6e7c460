import { HctSourceReader } from '../../readers/hctSourceReader.js';
import { bytesSource } from '../../sources/bytes.js';
import type { Limits, OpenOptions } from '../../src/limits.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { ManifestTensor } from '../directory/manifest.js';
import { ModelReader, type OpenModelFile } from '../directory/modelReader.js';
import type { LoadableTensor, ModelContent } from './content.js';
import { rowReader, WholeDecoder } from './wholeTensor.js';

/** A directory of HCT files with a manifest: one file per tensor, one piece per file. */
export async function openDirectory(openFile: OpenModelFile, options: OpenOptions): Promise<ModelContent> {
  // Fetched bytes are decoded, and verified against the manifest, by the same reader that reads from files.
  const fetched = new Map<string, Uint8Array>();
  const reader = await ModelReader.open((name) => {
    const bytes = fetched.get(name);
    return bytes === undefined ? openFile(name) : bytesSource(bytes);
  }, options);
  const decode = async (
    { name, file }: ManifestTensor,
    bytes: Uint8Array,
    limits: Limits | undefined,
  ): Promise<Tensor> => {
    fetched.set(file, bytes);
    try {
      return await reader.read(name, { limits });
    } finally {
      fetched.delete(file);
    }
  };
  return {
    format: 'directory',
    metadata: reader.manifest.metadata,
    tensors: reader.manifest.tensors.map((tensor): LoadableTensor => {
      const { name, dtype, shape, byteLength, fileSize } = tensor;
      const file = {
        acquire: async () => openFile(tensor.file),
        release: async (source: Awaited<ReturnType<OpenModelFile>>) => source.close?.(),
      };
      return {
        name,
        dtype,
        shape,
        byteLength,
        pieces: [{ file, offset: 0, length: fileSize, cosine: 1 }],
        createDecoder: async (limits) => new WholeDecoder((bytes) => decode(tensor, bytes, limits)),
        readRows: (start, end, rowOptions) =>
          readRows(tensor, openFile, start, end, { ...options, ...rowOptions }),
      };
    }),
    close: async () => {},
  };
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
    if (tensor.format === 'raw') return await rowReader(tensor, source, 0)(start, end, options);
    const reader = await HctSourceReader.open(source, options);
    const { dtype, data } = await reader.readRows(start, end, options);
    return { dtype, shape: [end - start, ...tensor.shape.slice(1)], data };
  } finally {
    await source.close?.();
  }
}
