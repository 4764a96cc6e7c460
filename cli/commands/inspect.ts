import { modelFolder } from '../../models/directory/modelFolder.js';
import { ModelReader } from '../../models/directory/modelReader.js';
import type { FileFormat } from '../../models/inputs/formats.js';
import type { RandomAccessSource } from '../../src/source.js';
import { formatOfFile, isDirectory, openInput } from '../files.js';
import { examineDirectory, examineModelFile, examineSafetensors } from '../inspect/models.js';
import { examineHct, examineHoloTensor } from '../inspect/tensors.js';
import { printReport, type Report } from '../report.js';

export interface InspectOptions {
  readonly json?: true;
}

const EXAMINE: Readonly<
  Record<FileFormat, (source: RandomAccessSource, signal: AbortSignal) => Promise<Report>>
> = {
  hct: examineHct,
  holotensor: examineHoloTensor,
  'model-file': examineModelFile,
  safetensors: examineSafetensors,
};

export async function inspect(file: string, { json }: InspectOptions, signal: AbortSignal): Promise<void> {
  printReport(await examine(file, signal), json);
}

async function examine(file: string, signal: AbortSignal): Promise<Report> {
  if (await isDirectory(file)) return examineDirectory(await ModelReader.open(modelFolder(file), { signal }));
  await using source = await openInput(file, signal);
  return await EXAMINE[await formatOfFile(source, file, signal)](source, signal);
}
