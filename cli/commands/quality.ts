import type { RandomAccessSource } from '../../src/source.js';
import type { CommandContext } from '../context.js';
import { UsageError } from '../failure.js';
import { formatOfFile } from '../fileKind.js';
import { openInput } from '../files.js';
import type { Report } from '../inspect/report.js';
import { holotensorQuality, type Original } from '../quality/holotensor.js';
import { modelFileQuality } from '../quality/modelFile.js';

export interface QualityOptions extends Original {
  readonly json?: true;
}

export async function quality(
  { signal }: CommandContext,
  file: string,
  { json, ...original }: QualityOptions,
): Promise<void> {
  if (original.tensor !== undefined && original.against === undefined) {
    throw new UsageError('--tensor is for --against');
  }
  const source = await openInput(file, signal);
  try {
    const { data, lines } = await examine(source, file, original, signal);
    console.log(json ? JSON.stringify(data, null, 2) : lines.join('\n'));
  } finally {
    await source.close?.();
  }
}

async function examine(
  source: RandomAccessSource,
  file: string,
  original: Original,
  signal: AbortSignal,
): Promise<Report> {
  const format = await formatOfFile(source, file);
  if (format === 'holotensor') return holotensorQuality(source, original, signal);
  if (format !== 'model-file') throw new UsageError(`${file} holds no fragments`);
  if (original.against !== undefined)
    throw new UsageError('--against is for HoloTensor files; this is a model file');
  return modelFileQuality(source, signal);
}
