import type { ModelReader } from '../../models/directory/modelReader.js';
import { readModelFile } from '../../models/file/modelFile.js';
import { readPlainHeader } from '../../models/file/plainHeader.js';
import { readModelSource } from '../../models/file/sourceFiles.js';
import { isOwn } from '../../models/planning.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import type { SafetensorsDeclaration } from '../../src/safetensors/header.js';
import type { RandomAccessSource } from '../../src/source.js';
import { filesOf, type ModelFiles, type ModelInput } from '../input/modelInput.js';
import { readShards } from '../input/shards.js';
import { formatBytes } from '../progress.js';
import { describeModelReach, isCutOff, reachOfModel } from '../reach.js';
import { facts, formatShape, type Report, ratioOf, table } from '../report.js';

export async function examineModelFile(source: RandomAccessSource, options: OpenOptions): Promise<Report> {
  const model = await readModelFile(source, { ...options, partial: true });
  const { plan, metadata, tensors, fileSize, available } = model;
  const originalSize = sum(tensors.map(({ byteLength }) => byteLength));
  const ratio = ratioOf(originalSize, fileSize);
  const described = tensors.map(({ name, dtype, shape, byteLength, encoded, pieces }) => ({
    ...{ name, dtype, shape, byteLength, encoded: encoded !== undefined },
    storedSize: sum(pieces.map(({ length }) => length)),
    fragments: encoded?.cosines.map((cosine, i) => ({ ...pieces[i + 1]!, cosine })),
  }));
  const data = {
    ...{ format: 'model-file', originalSize, fileSize, available, ratio },
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
      part: isCutOff(model) ? describeModelReach(reachOfModel(model, source)) : undefined,
    }),
    '',
    ...table(['name', 'dtype', 'shape', 'size', 'stored', 'fragments'], rows),
  ];
  return { data, lines };
}

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

export async function examineSafetensors(source: RandomAccessSource, options: OpenOptions): Promise<Report> {
  const { metadata, tensors, fileSize } = await readPlainHeader(source, options);
  const data = { format: 'safetensors', fileSize, metadata: Object.fromEntries(metadata), tensors };
  const lines = [
    ...facts({
      format: 'safetensors',
      file: formatBytes(fileSize),
      tensors: tensors.length,
      ...Object.fromEntries([...metadata].map(([key, text]) => [`metadata ${key}`, text])),
    }),
    '',
    ...tensorTable(tensors),
  ];
  return { data, lines };
}

/** A model of a format that others made, which `holostream encode` takes. */
export async function examineForeign(
  input: ModelInput,
  format: string,
  options: OpenOptions,
): Promise<Report> {
  await using model = await filesOf(input, options);
  const found = await readModelSource(model.files, options);
  const tensors = found.tensors.flatMap(({ name, dtype, shape, byteLength, isBetween }) =>
    isBetween ? [] : [{ name, dtype, shape, byteLength }],
  );
  const originalSize = sum(tensors.map(({ byteLength }) => byteLength));
  const lines = [
    ...facts({
      format: `${format}, which "holostream encode" takes`,
      tensors: tensors.length,
      size: formatBytes(originalSize),
    }),
    '',
    ...tensorTable(tensors),
  ];
  return { data: { format, originalSize, tensors }, lines };
}

export async function examineShards(
  files: Pick<ModelFiles, 'files' | 'index'>,
  options: OpenOptions,
): Promise<Report> {
  const shards = await readShards(files, options);
  const fileSize = sum(shards.map(({ source }) => source.size ?? 0));
  const tensors = shards.flatMap(({ file, tensors: own }) =>
    own.filter(isOwn).map(({ name, dtype, shape, byteLength }) => ({ name, dtype, shape, byteLength, file })),
  );
  const data = {
    ...{ format: 'shards', fileSize, indexed: files.index !== undefined },
    files: shards.map(({ file, format, source, metadata }) => ({
      ...{ file, format, fileSize: source.size },
      metadata: Object.fromEntries(metadata),
    })),
    tensors,
  };
  const rows = tensors.map(({ name, dtype, shape, byteLength, file }) => [
    name,
    dtype,
    formatShape(shape),
    formatBytes(byteLength),
    file,
  ]);
  const lines = [
    ...facts({
      format: `shards, ${files.index === undefined ? 'without' : 'with'} an index`,
      files: `${shards.length}, ${formatBytes(fileSize)}`,
      tensors: tensors.length,
    }),
    '',
    ...table(['name', 'dtype', 'shape', 'size', 'file'], rows),
  ];
  return { data, lines };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function tensorTable(
  tensors: readonly (SafetensorsDeclaration & { readonly byteLength: number })[],
): string[] {
  const rows = tensors.map(({ name, dtype, shape, byteLength }) => [
    name,
    dtype,
    formatShape(shape),
    formatBytes(byteLength),
  ]);
  return table(['name', 'dtype', 'shape', 'size'], rows);
}
