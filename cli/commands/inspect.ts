import type { FileFormat } from '../../models/inputs/formats.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import type { RandomAccessSource } from '../../src/source.js';
import { examineDirectory, examineModelFile, examineSafetensors, examineShards } from '../inspect/models.js';
import { examineHct, examineHoloTensor } from '../inspect/tensors.js';
import { formatOf, openModelInput } from '../modelInput.js';
import { printReport, type Report } from '../report.js';

export interface InspectOptions {
  readonly json?: true;
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
  { json }: InspectOptions,
  options: OpenOptions,
): Promise<void> {
  printReport(await examine(names, options), json);
}

async function examine(names: readonly string[], options: OpenOptions): Promise<Report> {
  await using input = await openModelInput(names, options);
  switch (input.kind) {
    case 'directory':
      return examineDirectory(input.reader);
    case 'shards':
      return await examineShards(input, options);
    case 'file':
      return await EXAMINE[await formatOf(input, options)](input.source, options);
  }
}
