import { modelFolder } from '../../sources/modelFolder.js';
import { FLAG_BLOCK_CHECKSUMS, FLAG_HEADER_CHECKSUM, HctReader } from '../../src/hct/index.js';
import { ModelReader } from '../../src/model/modelReader.js';
import { readSafetensorsHeader } from '../../src/safetensors/index.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { CommandContext } from '../context.js';
import { fileKind, isDirectory } from '../fileKind.js';
import { openInput } from '../input.js';
import { formatBytes } from '../progress.js';
import { facts, formatShape, table } from '../text.js';

export interface InspectOptions {
  readonly json?: boolean;
}

/** What a command has found out: as data, and as lines for people. */
interface Report {
  readonly data: object;
  readonly lines: readonly string[];
}

export async function inspect(
  context: CommandContext,
  file: string,
  { json }: InspectOptions,
): Promise<void> {
  const { data, lines } = await examine(context, file);
  console.log(json ? JSON.stringify(data, null, 2) : lines.join('\n'));
}

async function examine({ signal }: CommandContext, file: string): Promise<Report> {
  if (await isDirectory(file)) return examineDirectory(await ModelReader.open(modelFolder(file), { signal }));
  const source = await openInput(file, signal);
  try {
    const kind = await fileKind(source, file);
    return await (kind === 'hct' ? examineHct(source) : examineSafetensors(source));
  } finally {
    await source.close?.();
  }
}

async function examineHct(source: RandomAccessSource): Promise<Report> {
  const { header, name, shape, quantization } = await HctReader.open(source);
  const { version, dtype, algorithm, originalSize, compressedSize, blockSize, blockCount, flags } = header;
  const fileSize = source.size ?? 0;
  const ratio = ratioOf(originalSize, fileSize);
  const blockChecksums = (flags & FLAG_BLOCK_CHECKSUMS) !== 0;
  const headerChecksum = (flags & FLAG_HEADER_CHECKSUM) !== 0;
  const data = {
    ...{
      format: 'hct',
      version,
      name,
      dtype,
      shape,
      algorithm,
      originalSize,
      compressedSize,
      fileSize,
      ratio,
    },
    ...{ blockSize, blockCount, headerChecksum, blockChecksums, quantization },
  };
  const checked = [headerChecksum && 'header', blockChecksums && 'blocks'].filter((part) => part !== false);
  const lines = facts({
    format: `HCT, version ${version}`,
    name,
    tensor: `${dtype} ${formatShape(shape)}, ${formatBytes(originalSize)}`,
    file: `${formatBytes(fileSize)}, ratio ${ratio.toFixed(3)}`,
    blocks: `${blockCount} of ${formatBytes(blockSize)}, ${algorithm}`,
    checksums: checked.join(' and ') || 'none',
    quantization: quantization && `${quantization.scheme}, groups of ${quantization.groupSize || 'all'}`,
  });
  return { data, lines };
}

async function examineSafetensors(source: RandomAccessSource): Promise<Report> {
  const { metadata, tensors, fileSize } = await readSafetensorsHeader(source);
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

function examineDirectory({ manifest }: ModelReader): Report {
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

/** Bytes of the tensor over bytes of the file; 1 where there is nothing. */
function ratioOf(original: number, stored: number): number {
  return original === 0 || stored === 0 ? 1 : original / stored;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
