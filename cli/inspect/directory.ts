import type { ModelReader } from '../../models/directory/modelReader.js';
import { formatBytes } from '../progress.js';
import { facts, formatShape, table } from '../report.js';
import { type Report, ratioOf } from './report.js';

export function examineDirectory({ manifest }: ModelReader): Report {
  const { metadata, tensors } = manifest;
  const originalSize = sum(tensors.map(({ byteLength }) => byteLength));
  const fileSize = sum(tensors.map((tensor) => tensor.fileSize));
  const ratio = ratioOf(originalSize, fileSize);
  const data = {
    ...{ format: 'model-directory', originalSize, fileSize, ratio },
    ...{ metadata: Object.fromEntries(metadata), tensors },
  };
  const rows = tensors.map(({ name, dtype, shape, byteLength, file, fileSize: size }) => [
    name,
    dtype,
    formatShape(shape),
    formatBytes(byteLength),
    ratioOf(byteLength, size).toFixed(3),
    file,
  ]);
  const lines = [
    ...facts({
      format: 'model directory',
      tensors: tensors.length,
      files: `${formatBytes(fileSize)} of ${formatBytes(originalSize)}, ratio ${ratio.toFixed(3)}`,
    }),
    '',
    ...table(['name', 'dtype', 'shape', 'size', 'ratio', 'file'], rows),
  ];
  return { data, lines };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
