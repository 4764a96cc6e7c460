import { quote } from '../../src/show.js';
import type { RandomAccessSource } from '../../src/source.js';
import { UsageError } from '../failure.js';
import { formatOfFile, openInput } from '../files.js';
import { holotensorQuality, type Original } from '../quality/holotensor.js';
import { modelFileQuality } from '../quality/modelFile.js';
import { printReport, type Report } from '../report.js';

export interface QualityOptions extends Original {
  readonly json?: true;
}

export async function quality(
  file: string,
  { json, ...original }: QualityOptions,
  signal: AbortSignal,
): Promise<void> {
  if (original.tensor !== undefined && original.against === undefined) {
    throw new UsageError('--tensor is for --against');
  }
  await using source = await openInput(file, signal);
  printReport(await examine(source, file, original, signal), json);
}

async function examine(
  source: RandomAccessSource,
  file: string,
  original: Original,
  signal: AbortSignal,
): Promise<Report> {
  const format = await formatOfFile(source, file, signal);
  if (format === 'holotensor') return holotensorQuality(source, original, signal);
  if (format !== 'model-file') throw new UsageError(`${quote(file)} holds no fragments`);
  if (original.against !== undefined)
    throw new UsageError('--against is for HoloTensor files; this is a model file');
  return modelFileQuality(source, signal);
}
