import { readPlainHeader } from '../../models/inputs/safetensors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { formatBytes } from '../progress.js';
import { facts, formatShape, table } from '../report.js';
import type { Report } from './report.js';

export async function examineSafetensors(source: RandomAccessSource): Promise<Report> {
  const { metadata, tensors, fileSize } = await readPlainHeader(source, {});
  const data = { format: 'safetensors', fileSize, metadata: Object.fromEntries(metadata), tensors };
  const rows = tensors.map(({ name, dtype, shape, byteLength }) => [
    name,
    dtype,
    formatShape(shape),
    formatBytes(byteLength),
  ]);
  const lines = [
    ...facts({
      format: 'safetensors',
      file: formatBytes(fileSize),
      tensors: tensors.length,
      ...Object.fromEntries([...metadata].map(([key, text]) => [`metadata ${key}`, text])),
    }),
    '',
    ...table(['name', 'dtype', 'shape', 'size'], rows),
  ];
  return { data, lines };
}
