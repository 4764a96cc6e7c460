import { modelFolder } from '../../models/directory/modelFolder.js';
import { ModelReader } from '../../models/directory/modelReader.js';
import type { FileFormat } from '../../models/inputs/formats.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { CommandContext } from '../context.js';
import { formatOfFile, isDirectory } from '../fileKind.js';
import { openInput } from '../files.js';
import { examineDirectory } from '../inspect/directory.js';
import { examineHoloTensor } from '../inspect/holotensor.js';
import { examineModelFile } from '../inspect/models.js';
import type { Report } from '../inspect/report.js';
import { examineSafetensors } from '../inspect/safetensors.js';
import { examineHct } from '../inspect/tensors.js';

export interface InspectOptions {
  readonly json?: true;
}

const EXAMINE: Readonly<Record<FileFormat, (source: RandomAccessSource) => Promise<Report>>> = {
  hct: examineHct,
  holotensor: examineHoloTensor,
  'model-file': examineModelFile,
  safetensors: examineSafetensors,
};

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
    return await EXAMINE[await formatOfFile(source, file)](source);
  } finally {
    await source.close?.();
  }
}
