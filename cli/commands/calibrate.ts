import { calibrate } from '../../models/file/calibrate.js';
import { foreignFormat } from '../../models/inputs/foreign.js';
import { bytesSource } from '../../sources/bytes.js';
import { quote } from '../../src/errors/show.js';
import { ArgumentError } from '../../src/errors.js';
import { openNetwork, readSample, type Sample } from '../calibrate/network.js';
import { loadRuntime } from '../calibrate/runtime.js';
import { DataError, UsageError } from '../failure.js';
import { STANDARD, writeOutput } from '../files.js';
import { filesOf, type ModelFiles, openModelInput } from '../input/modelInput.js';
import { checkOutput, type OutputChoice } from '../output.js';
import { startProgress } from '../progress.js';
import { counted, printReport } from '../report.js';
import { endedBySignals } from '../signals.js';
import { printJson } from '../terminal.js';

export interface CalibrateChoice extends OutputChoice {
  readonly samples: readonly string[];
  readonly cosine?: number;
}

/** Measures the importance of tensors, and writes what `encode --importance` takes. */
export async function calibrateModel(
  name: string,
  { samples: names, cosine, ...choice }: CalibrateChoice,
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  if (choice.output !== STANDARD) await checkOutput(choice);
  const factors = await measured(name, names, cosine, signal);
  const importance = Object.fromEntries(factors);
  if (choice.output === STANDARD) return printJson(importance);
  const bytes = new TextEncoder().encode(`${JSON.stringify(importance, null, 2)}\n`);
  await writeOutput(choice.output, bytesSource(bytes).stream(), { signal });
  const seconds = (performance.now() - start) / 1000;
  const data = { output: choice.output, tensors: factors.size, samples: names.length, seconds };
  const words = [counted(factors.size, 'tensor'), counted(names.length, 'sample'), `${seconds.toFixed(1)} s`];
  printReport({ data, lines: [`${choice.output}: ${words.join(', ')}`] }, choice.json);
}

async function measured(
  name: string,
  names: readonly string[],
  cosine: number | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  await using model = await openOnnx(name, signal);
  const ort = loadRuntime();
  const samples: Sample[] = [];
  for (const file of names) samples.push(await readSample(file, { signal }));
  const { tensors, evaluate, cut } = await openNetwork(ort, [model.beside[0]!, model.files[0]!], samples, {
    signal,
  });
  using progress = startProgress('measuring', cut, 'tensor');
  try {
    // The runtime holds the thread while it works, and nothing has been written yet.
    return await endedBySignals(() =>
      calibrate(tensors, evaluate, { cosine, signal, onProgress: (done) => progress.reach(done) }),
    );
  } catch (error) {
    // The options have been checked: what is wrong is in the model, or its outputs.
    if (error instanceof ArgumentError) throw new DataError(error.message, { cause: error });
    throw error;
  }
}

async function openOnnx(name: string, signal: AbortSignal): Promise<ModelFiles> {
  const input = await openModelInput([name], { signal });
  if (input.kind === 'file' && foreignFormat(input.start, input.fileName) === 'onnx') {
    return filesOf(input, { signal });
  }
  await input[Symbol.asyncDispose]();
  throw new UsageError(
    `Cannot run ${quote(name)}, because it is no ONNX model: use \`calibrate\` of holostream/formats, which evaluates networks by a function of yours`,
  );
}
