import type { OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { UsageError } from '../failure.js';
import { formatOf, type ModelInput, openModelInput } from '../modelInput.js';
import { holotensorQuality, type Original } from '../quality/holotensor.js';
import { modelFileQuality } from '../quality/modelFile.js';
import { printReport, type Report } from '../report.js';

export interface QualityOptions extends Original {
  readonly json?: true;
}

export async function quality(
  file: string,
  { json, ...original }: QualityOptions,
  options: OpenOptions,
): Promise<void> {
  if (original.tensor !== undefined && original.against === undefined) {
    throw new UsageError('--tensor is for --against');
  }
  await using input = await openModelInput([file], options);
  printReport(await examine(input, file, original, options), json);
}

async function examine(
  input: ModelInput,
  file: string,
  original: Original,
  options: OpenOptions,
): Promise<Report> {
  const format = input.kind === 'file' ? await formatOf(input, options) : undefined;
  if (input.kind !== 'file' || (format !== 'holotensor' && format !== 'model-file')) {
    throw new UsageError(`${quote(file)} holds no fragments`);
  }
  if (format === 'holotensor') return holotensorQuality(input.source, original, options);
  if (original.against !== undefined)
    throw new UsageError('--against is for HoloTensor files; this is a model file');
  return modelFileQuality(input.source, options);
}
