import { type Command, InvalidArgumentError } from 'commander';
import { examplesOf } from '../help.js';
import * as options from '../options.js';
import { JSON_OPTION, verboseOption, WORKERS } from '../sharedOptions.js';
import type { CleanChoices } from './clean.js';
import type { PlanOptions } from './plan.js';
import type { QueueAddOptions, QueueWorkOptions, showBulk } from './queue.js';
import type { RunOptions } from './run.js';

const MODELS =
  'models: each a safetensors file, a shard index or a folder, an ONNX, GGUF, PyTorch or TensorFlow.js model, or a NumPy archive; by path, URL, hf:org/model or s3://bucket/key';

const REDIS = [
  '--redis <url>',
  'where Redis or Valkey is (default: $REDIS_URL, or redis://127.0.0.1:6379)',
] as const;

/** The commands of `holostream bulk`; their code is loaded when they are called. */
export function addBulkCommands(program: Command, interrupted: AbortSignal): void {
  const bulk = program
    .command('bulk')
    .addHelpText('after', examplesOf('bulk'))
    .description('convert many models, or one that is too large for a machine, on any number of machines');

  withModels(bulk.command('run'))
    .addHelpText('after', examplesOf('run'))
    .description('convert models in this process, or the part of one shard')
    .option(
      '--shard <i/n>',
      'encode only the i-th of n parts, from 0; other processes have the others',
      options.shard,
    )
    .option('--join', 'with --shard: join its models, once all parts are encoded')
    .option(...JSON_OPTION)
    .option(...WORKERS)
    .action(async (sources: string[], chosen: RunOptions) => {
      const { runBulk } = await import('./run.js');
      await runBulk(sources, chosen, interrupted);
    });

  withModels(bulk.command('add'))
    .addHelpText('after', examplesOf('add'))
    .description('put models into the queue in Redis or Valkey, or convert them here')
    .option('--local', 'convert the models in this process, without a queue: as "bulk run"')
    .option(...REDIS)
    .option('--priority <n>', 'the lowest first (default: before all that have one)', options.positiveInteger)
    .option('--attempts <n>', 'how often a unit is tried (default: 8)', options.positiveInteger)
    .option(
      '--host-rate <bytes>',
      'bytes per second that all workers together read from one host',
      options.positiveInteger,
    )
    .option(...JSON_OPTION)
    .option(...WORKERS)
    .action(async (sources: string[], chosen: QueueAddOptions & RunOptions & { readonly local?: true }) => {
      if (chosen.local) {
        const { runBulk } = await import('./run.js');
        return runBulk(sources, chosen, interrupted);
      }
      const { addBulk } = await import('./queue.js');
      return addBulk(sources, chosen, interrupted);
    });

  bulk
    .command('work')
    .addHelpText('after', examplesOf('work'))
    .description('work on the queue until a signal: a line of JSON for each job')
    .option(...REDIS)
    .option('--concurrency <n>', 'units at the same time (default: 2)', options.positiveInteger)
    .option('--drain', 'end when nothing is left to do')
    .option(
      '--grace <seconds>',
      'how long jobs may go on after a signal; then they are given back (default: 20)',
      options.positiveInteger,
    )
    .option(
      '--stalled <seconds>',
      'how long a worker may be silent before others take its jobs over (default: 60)',
      options.positiveInteger,
    )
    .option(...WORKERS)
    .action(async (chosen: QueueWorkOptions) => {
      const { workOnBulk } = await import('./queue.js');
      await workOnBulk(chosen, interrupted);
    });

  bulk
    .command('status')
    .addHelpText('after', examplesOf('status'))
    .description('how far the models of the queue are, and what has failed')
    .option(...REDIS)
    .option(...JSON_OPTION)
    .action(async (chosen: Parameters<typeof showBulk>[0]) => {
      const { showBulk } = await import('./queue.js');
      await showBulk(chosen, interrupted);
    });

  bulk
    .command('clean')
    .addHelpText('after', examplesOf('clean'))
    .description('delete encoded units that no conversion needs; model files stay, and workers may go on')
    .argument('<place>', 'where model files are: s3://bucket/prefix, or a folder')
    .option('--older-than <hours>', 'keep what is younger (default: 24)', options.positiveInteger)
    .option('--dry-run', 'say what would be deleted, and delete nothing')
    .option(...JSON_OPTION)
    .action(async (place: string, chosen: CleanChoices) => {
      const { cleanBulk } = await import('./clean.js');
      await cleanBulk(place, chosen, interrupted);
    });

  for (const command of bulk.commands) command.addOption(verboseOption());
}

/** The command that counts what serving a model takes. */
export function addPlanCommand(program: Command, interrupted: AbortSignal): void {
  program
    .command('plan')
    .addHelpText('after', examplesOf('plan'))
    .description('show what it takes to serve a model file: requests, bytes and cost by quality')
    .argument('<file>', 'model file, by path or URL')
    .option('--clients <n>', 'number of clients that load it (default: 1000)', options.positiveInteger)
    .option('--qualities <list>', 'cosines (default: 0.5,0.9,0.95,0.99,0.999,exact)', options.qualities)
    .option('--price-transfer <price>', 'of a gigabyte that is sent', price)
    .option('--price-requests <price>', 'of a million requests', price)
    .option('--price-storage <price>', 'of a gigabyte that is stored for a month', price)
    .option(...JSON_OPTION)
    .action(async (file: string, chosen: PlanOptions) => {
      const { plan } = await import('./plan.js');
      await plan(file, chosen, { signal: interrupted });
    });
}

function price(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value < Infinity) return value;
  throw new InvalidArgumentError('It must be a number from 0.');
}

function withModels(command: Command): Command {
  return command
    .argument('[source...]', MODELS)
    .requiredOption('--to <place>', 'where model files go: s3://bucket/prefix, or a folder')
    .option('--output <key>', 'the name of the model file, for one model')
    .option('--list <file>', 'JSON of models: [{ "sources": ["…"], "output": "…" }]')
    .option(
      '--encoding <name>',
      'embedded (default), spectral, random-projection or low-rank',
      options.oneOf('embedded', 'spectral', 'random-projection', 'low-rank'),
    )
    .option('--fragments <n>', 'fragments per tensor (default: 3 to 16, by its size)', options.fragmentCount)
    .option('--qualities <list>', 'cosines where fragments end: 0.5,0.9,0.99,exact', options.cuts)
    .option('--keep <pattern>', 'tensors to store as they are: *.bias; may be repeated', options.pattern)
    .option(
      '--order <name>',
      'which tensors count more: balanced (default), or elements',
      options.oneOf('balanced', 'elements'),
    )
    .option('--importance <file>', 'JSON of factors by tensor name or pattern: { "head.*": 4 }')
    .option(
      '--max-unit-bytes <bytes>',
      'larger tensors are divided, each part a unit (default: 134217728)',
      options.positiveInteger,
    );
}
