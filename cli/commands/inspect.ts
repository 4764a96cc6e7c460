import { foreignFormat } from '../../models/inputs/foreign.js';
import type { FileFormat } from '../../models/inputs/formats.js';
import { inTurns } from '../../src/async/steps.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import type { RandomAccessSource } from '../../src/source.js';
import { reportEach } from '../eachInput.js';
import { UsageError } from '../failure.js';
import { formatOf, type ModelInput, modelsOf } from '../input/modelInput.js';
import {
  examineDirectory,
  examineForeign,
  examineModelFile,
  examineSafetensors,
  examineShards,
} from '../inspect/models.js';
import { examineHct, examineHoloTensor } from '../inspect/tensors.js';
import type { Report } from '../report.js';
import { checkPlot, type PlotChoice, writeSvg } from '../svg.js';

export interface InspectOptions extends PlotChoice {
  readonly json?: true;
  /** Which tensor to draw. */
  readonly tensor?: string;
}

const EXAMINE: Readonly<
  Record<FileFormat, (source: RandomAccessSource, options: OpenOptions) => Promise<Report>>
> = {
  hct: examineHct,
  holotensor: examineHoloTensor,
  'model-file': examineModelFile,
  safetensors: examineSafetensors,
};

export async function inspect(
  names: readonly string[],
  { json, tensor, plot, force }: InspectOptions,
  options: OpenOptions,
): Promise<void> {
  if (tensor !== undefined && plot === undefined) throw new UsageError('--tensor is for --plot');
  if (plot !== undefined && modelsOf(names).length > 1) throw new UsageError('--plot is for one file');
  await checkPlot({ plot, force });
  const look = async (input: ModelInput) => {
    const report = await examine(input, options);
    if (plot !== undefined) {
      const { readPlotted, tensorPanels } = await import('../inspect/plot.js');
      const plotted = await readPlotted(input, tensor, options);
      await writeSvg(plot, await inTurns(tensorPanels(plotted), options.signal), options);
    }
    return report;
  };
  await reportEach(names, look, { ...options, json });
}

async function examine(input: ModelInput, options: OpenOptions): Promise<Report> {
  switch (input.kind) {
    case 'directory':
      return examineDirectory(input.reader);
    case 'shards':
      return await examineShards(input, options);
    case 'file': {
      const foreign = foreignFormat(input.start, input.fileName);
      if (foreign !== undefined) return await examineForeign(input, foreign, options);
      return await EXAMINE[await formatOf(input, options)](input.source, options);
    }
  }
}
