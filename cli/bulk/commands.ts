import type { Command, Option } from 'commander';
import * as options from '../options.js';
import { shard } from './choices.js';
import type { RunOptions } from './run.js';

const MODELS = 'models: each a safetensors file, a shard index or a folder; by path, URL or s3://bucket/key';

/** The commands of `holostream bulk`; their code is loaded when they are called. */
export function addBulkCommands(
  program: Command,
  interrupted: AbortSignal,
  { WORKERS, verbose }: { readonly WORKERS: OptionArguments; readonly verbose: () => Option },
): void {
  const bulk = program
    .command('bulk')
    .description('convert many models, or one that is too large for a machine, on any number of machines');

  withModels(bulk.command('run'))
    .description('convert models in this process, or the part of one shard')
    .option(
      '--shard <i/n>',
      'encode only the i-th of n parts, from 0; other processes have the others',
      shard,
    )
    .option('--join', 'with --shard: join its models, once all parts are encoded')
    .option('--json', 'as JSON')
    .option(...WORKERS)
    .action(async (sources: string[], chosen: RunOptions) => {
      const { runBulk } = await import('./run.js');
      await runBulk(sources, chosen, interrupted);
    });

  for (const command of bulk.commands) command.addOption(verbose());
}

/** How main.ts shares an option of several commands. */
type OptionArguments = readonly [string, string, (text: string) => unknown];

function withModels(command: Command): Command {
  return command
    .argument('[source...]', MODELS)
    .requiredOption('--to <place>', 'where model files go: s3://bucket/prefix, or a folder')
    .option('--output <key>', 'what the model file of one model is called')
    .option('--list <file>', 'JSON of models: [{ "sources": ["…"], "output": "…" }]')
    .option(
      '--encoding <name>',
      'embedded (default), spectral, random-projection or low-rank',
      options.oneOf('embedded', 'spectral', 'random-projection', 'low-rank'),
    )
    .option(
      '--fragments <n>',
      'how many fragments a tensor (default: 3 to 16, by its size)',
      options.fragmentCount,
    )
    .option('--qualities <list>', 'cosines where fragments end: 0.5,0.9,0.99,exact', options.qualities)
    .option('--keep <pattern>', 'tensors to store as they are: *.bias; may be repeated', options.pattern)
    .option(
      '--order <name>',
      'which tensors count more: balanced (default), or elements',
      options.oneOf('balanced', 'elements'),
    )
    .option('--importance <file>', 'JSON of factors by tensor name or pattern: { "head.*": 4 }');
}
