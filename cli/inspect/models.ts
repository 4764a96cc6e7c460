import { readModelFile } from '../../models/file/modelFile.js';
import type { RandomAccessSource } from '../../src/source.js';
import { formatBytes } from '../progress.js';
import { facts, formatShape, table } from '../report.js';
import { type Report, ratioOf } from './report.js';

export async function examineModelFile(source: RandomAccessSource): Promise<Report> {
  const { plan, metadata, tensors, fileSize } = await readModelFile(source);
  const originalSize = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const ratio = ratioOf(originalSize, fileSize);
  const described = tensors.map(({ name, dtype, shape, byteLength, encoded, pieces }) => ({
    ...{ name, dtype, shape, byteLength, encoded: encoded !== undefined },
    storedSize: pieces.reduce((sum, { length }) => sum + length, 0),
    fragments: encoded?.cosines.map((cosine, i) => ({ ...pieces[i + 1]!, cosine })),
  }));
  const data = {
    ...{ format: 'model-file', originalSize, fileSize, ratio },
    files: plan.files.map(({ name }) => name),
    metadata: Object.fromEntries(metadata),
    tensors: described.map(({ fragments, ...tensor }) => ({
      ...tensor,
      fragments: fragments?.map(({ offset, length, cosine }) => ({ offset, length, cosine })),
    })),
  };
  const rows = described.map(({ name, dtype, shape, byteLength, storedSize, fragments }) => [
    name,
    dtype,
    formatShape(shape),
    formatBytes(byteLength),
    formatBytes(storedSize),
    fragments === undefined ? 'as it is' : String(fragments.length),
  ]);
  const lines = [
    ...facts({
      format: 'model file of fragments (valid safetensors)',
      made: `of ${plan.files.map(({ name }) => name).join(', ')}`,
      file: `${formatBytes(fileSize)} of ${formatBytes(originalSize)}, ratio ${ratio.toFixed(3)}`,
      tensors: tensors.length,
    }),
    '',
    ...table(['name', 'dtype', 'shape', 'size', 'stored', 'fragments'], rows),
  ];
  return { data, lines };
}
