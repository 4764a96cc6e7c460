import { argumentPlace } from '../../sources/hub.js';
import { quote } from '../../src/errors/show.js';
import type { Plan } from '../encode/dryRun.js';
import { UsageError } from '../failure.js';
import { isDirectory, STANDARD } from '../files.js';
import { type EncodeOptionName, type EncodeOptions, flagOf } from '../options.js';
import { checkOutput, type Outcome, reportOutcome } from '../output.js';
import { printReport } from '../report.js';

type Job<Result> = (names: readonly string[], options: EncodeOptions, signal: AbortSignal) => Promise<Result>;

interface Target {
  readonly name: string;
  readonly options: readonly EncodeOptionName[];
  /** Loads what finds out what would be written. */
  plan(): Promise<Job<Plan>>;
  /** Loads what writes it: one output needs a part of the modules that all of them need. */
  run(): Promise<Job<Outcome>>;
}

/** Options that all outputs have. */
const COMMON: ReadonlySet<string> = new Set(['output', 'force', 'json', 'dryRun', 'verbose']);
const ONE_TENSOR = ['tensor', 'dtype', 'shape'] as const;
const COMPRESSION = ['algorithm', 'level'] as const;
const HCT_FILES = ['hctVersion', 'blockSize', 'blockChecksums'] as const;
const FRAGMENTS = ['encoding', 'fragments', 'qualities', 'layout', 'rank', 'residual'] as const;

const dryRun = () => import('../encode/dryRun.js');

const DIRECTORY: Target = {
  name: 'a model directory',
  options: [...COMPRESSION, ...HCT_FILES],
  plan: async () => (await dryRun()).planDirectory,
  run: async () => (await import('../encode/hct.js')).encodeDirectory,
};
const HCT: Target = {
  name: 'an HCT file',
  options: [...ONE_TENSOR, ...COMPRESSION, ...HCT_FILES],
  plan: async () => (await dryRun()).planTensor,
  run: async () => (await import('../encode/hct.js')).encodeHct,
};
const HOLOTENSOR: Target = {
  name: 'a HoloTensor file',
  options: [...ONE_TENSOR, ...COMPRESSION, ...FRAGMENTS, 'seed'],
  plan: async () => (await dryRun()).planTensor,
  run: async () => (await import('../encode/holotensor.js')).encodeHoloTensor,
};
const MODEL_FILE: Target = {
  name: 'a model file',
  options: [...FRAGMENTS, 'keep', 'order', 'importance', 'resume', 'workers'],
  plan: async () => (await dryRun()).planModelFile,
  run: async () => (await import('../encode/modelFile.js')).encodeToModelFile,
};
const ONNX: Target = {
  ...MODEL_FILE,
  name: 'an ONNX model',
  options: [...MODEL_FILE.options, 'weightsName'],
  run: async () => (await import('../encode/onnx.js')).encodeOnnx,
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
    const { describePlan } = await dryRun();
    const plan = await (await target.plan())(names, options, signal);
    return printReport(describePlan(options.output, target.name, plan), options.json);
  }
  const run = await target.run();
  await reportOutcome(options, () => run(names, options, signal));
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
