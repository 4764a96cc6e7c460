import type { OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { UsageError } from '../failure.js';
import { formatOf, type ModelInput, openModelInput } from '../input/modelInput.js';
import { holotensorQuality, type Original } from '../quality/holotensor.js';
import { modelFileQuality } from '../quality/modelFile.js';
import { printReport } from '../report.js';
import { checkPlot, type PlotChoice, type QualityReport, qualityPanel, writeSvg } from '../svg.js';

export interface QualityOptions extends Original, PlotChoice {
  readonly json?: true;
}

export async function quality(
  file: string,
  { json, plot, force, ...original }: QualityOptions,
  options: OpenOptions,
): Promise<void> {
  if (original.tensor !== undefined && original.against === undefined) {
    throw new UsageError('--tensor is for --against');
  }
  await checkPlot({ plot, force });
  await using input = await openModelInput([file], options);
  const { points, originalSize, ...report } = await examine(input, file, original, options);
  if (plot !== undefined) await writeSvg(plot, [qualityPanel(file, points, originalSize)], options);
  printReport(report, json);
}

async function examine(
  input: ModelInput,
  file: string,
  original: Original,
  options: OpenOptions,
): Promise<QualityReport> {
  const format = input.kind === 'file' ? await formatOf(input, options) : undefined;
  if (input.kind !== 'file' || (format !== 'holotensor' && format !== 'model-file')) {
    throw new UsageError(
      `${quote(file)} holds no fragments; \`holostream encode\` makes a model file with them`,
    );
  }
  if (format === 'holotensor') return holotensorQuality(input.source, original, options);
  if (original.against !== undefined)
    throw new UsageError('--against is for HoloTensor files; this is a model file');
  return modelFileQuality(input.source, options);
}
