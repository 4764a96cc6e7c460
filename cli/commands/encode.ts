import { argumentPlace } from '../../sources/hub.js';
import { quote } from '../../src/errors/show.js';
import { describePlan, type Plan, planDirectory, planModelFile, planTensor } from '../encode/dryRun.js';
import { encodeDirectory, encodeHct } from '../encode/hct.js';
import { encodeHoloTensor } from '../encode/holotensor.js';
import { encodeToModelFile } from '../encode/modelFile.js';
import { encodeOnnx } from '../encode/onnx.js';
import { UsageError } from '../failure.js';
import { isDirectory, STANDARD } from '../files.js';
import { type EncodeOptionName, type EncodeOptions, flagOf } from '../options.js';
import { checkOutput, type Outcome, reportOutcome } from '../output.js';
import { printReport } from '../report.js';

interface Target {
  readonly name: string;
  readonly options: readonly EncodeOptionName[];
  /** What would be written. */
  plan(names: readonly string[], options: EncodeOptions, signal: AbortSignal): Promise<Plan>;
  run(names: readonly string[], options: EncodeOptions, signal: AbortSignal): Promise<Outcome>;
}

/** Options that all outputs have. */
const COMMON: ReadonlySet<string> = new Set(['output', 'force', 'json', 'dryRun', 'verbose']);
const ONE_TENSOR = ['tensor', 'dtype', 'shape'] as const;
const COMPRESSION = ['algorithm', 'level'] as const;
const HCT_FILES = ['hctVersion', 'blockSize', 'blockChecksums'] as const;
const FRAGMENTS = ['encoding', 'fragments', 'qualities', 'layout', 'rank', 'residual'] as const;

const DIRECTORY: Target = {
  name: 'a model directory',
  options: [...COMPRESSION, ...HCT_FILES],
  plan: planDirectory,
  run: encodeDirectory,
};
const HCT: Target = {
  name: 'an HCT file',
  options: [...ONE_TENSOR, ...COMPRESSION, ...HCT_FILES],
  plan: planTensor,
  run: encodeHct,
};
const HOLOTENSOR: Target = {
  name: 'a HoloTensor file',
  options: [...ONE_TENSOR, ...COMPRESSION, ...FRAGMENTS, 'seed'],
  plan: planTensor,
  run: encodeHoloTensor,
};
const MODEL_FILE: Target = {
  name: 'a model file',
  options: [...FRAGMENTS, 'keep', 'order', 'importance', 'resume', 'workers'],
  plan: planModelFile,
  run: encodeToModelFile,
};
const ONNX: Target = {
  ...MODEL_FILE,
  name: 'an ONNX model',
  options: [...MODEL_FILE.options, 'weightsName'],
  run: encodeOnnx,
};

export async function encode(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const target = await targetOf(options.output, names);
  for (const name of givenOptions(options)) {
    if (target.options.includes(name)) continue;
    throw new UsageError(`${flagOf(name)} does not apply to ${target.name}`);
  }
  if (options.level !== undefined && options.algorithm === 'lz4') {
    throw new UsageError('--level is for --algorithm zstd');
  }
  await checkOutput(options);
  if (options.dryRun) {
    const plan = await target.plan(names, options, signal);
    return printReport(describePlan(options.output, target.name, plan), options.json);
  }
  await reportOutcome(options, () => target.run(names, options, signal));
}

async function targetOf(output: string, [name = '', ...others]: readonly string[]): Promise<Target> {
  const isOnnx = others.length === 0 && name !== STANDARD && /\.onnx$/i.test(argumentPlace(name).name);
  if (output.endsWith('/') || (await isDirectory(output))) return isOnnx ? ONNX : DIRECTORY;
  if (output === STANDARD || output.endsWith('.hct')) return HCT;
  if (output.endsWith('.holo')) return HOLOTENSOR;
  if (output.endsWith('.holo.safetensors')) return MODEL_FILE;
  throw new UsageError(
    `Cannot tell the format of ${quote(output)}: end it with .hct, .holo or .holo.safetensors, or with / for a directory`,
  );
}

function givenOptions({ blockChecksums, ...options }: EncodeOptions): EncodeOptionName[] {
  const names = Object.keys(options).filter((name) => !COMMON.has(name)) as EncodeOptionName[];
  return blockChecksums ? names : [...names, 'blockChecksums'];
}
