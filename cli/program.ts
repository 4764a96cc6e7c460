/** The commands, one file each in `commands/`, loaded only when it is called. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import type { OpenOptions } from '../src/checks/limits.js';
import { BENCH_CHOICES, type BenchChoice, type BenchOptions } from './benchChoice.js';
import { addBulkCommands, addPlanCommand } from './bulk/commands.js';
import type { CalibrateChoice } from './commands/calibrate.js';
import { completion, SHELLS, type Shell } from './commands/completion.js';
import type { DecodeOptions } from './commands/decode.js';
import type { InspectOptions } from './commands/inspect.js';
import type { QualityOptions } from './commands/quality.js';
import type { ServeOptions } from './commands/serve.js';
import type { VerifyChoice } from './commands/verify.js';
import { addEncodeCommand } from './encode/command.js';
import { describeFailure, EXIT_OK } from './failure.js';
import { STANDARD } from './files.js';
import { examplesOf } from './help.js';
import type { LimitChoice } from './options.js';
import * as options from './options.js';
import { FORCE, JSON_OPTION, LIMIT, verboseOption, WORKERS } from './sharedOptions.js';
import { print, tell } from './terminal.js';
import type { WorkersChoice } from './threads.js';

const { version } = createRequire(import.meta.url)('holostream/package.json') as { version: string };

const FILES =
  'HCT, HoloTensor, safetensors or model file, shards or their index, or a folder of these; by path or URL, - for standard input';

/** The option may be repeated, or have several values. */
function benchChoice(text: string, earlier: readonly BenchChoice[] = []): BenchChoice[] {
  return [...earlier, options.oneOf(...BENCH_CHOICES)(text)];
}

const OUTPUT = {
  writeOut: (text: string) => print(text.trimEnd().split('\n')),
  writeErr: (text: string) => tell(...text.trimEnd().split('\n')),
  // All errors are reported below, in the same way.
  outputError: () => {},
};

/**
 * Runs a command, and says what is wrong.
 * @param args what follows the name of the program
 * @param interrupted ends the command
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], interrupted: AbortSignal): Promise<number> {
  try {
    await createProgram(interrupted).parseAsync(args, { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    return report(error, args);
  }
}

/** Says what is wrong. @returns the exit code */
export function report(error: unknown, args: readonly string[]): number {
  const { code, message } = describeFailure(error);
  if (message === '') return code;
  tell(`holostream: ${message}`);
  const verbose = args.includes('--verbose');
  if (verbose && error instanceof Error && !(error instanceof CommanderError)) {
    tell(...String(error.stack).split('\n'));
  }
  return code;
}

function createProgram(interrupted: AbortSignal): Command {
  /** What a command opens a file with. */
  const opening = ({ limit }: LimitChoice): OpenOptions => ({ signal: interrupted, limits: limit });

  const program = new Command('holostream')
    .description('Compresses, inspects and streams the weights of neural networks.')
    .version(version)
    .option('--verbose', 'show the stack of an error')
    .exitOverride()
    .configureOutput(OUTPUT);

  program
    .command('inspect')
    .addHelpText('after', examplesOf('inspect'))
    .description('show what is in a file or model directory')
    .argument('<file...>', FILES)
    .option(
      '--plot <file.svg>',
      'draw a tensor: its heat map, spectrum, and curves of energy and, in fragments, of quality',
    )
    .option('--tensor <name>', 'which tensor to draw')
    .option(...FORCE)
    .option(...JSON_OPTION)
    .option(...LIMIT)
    .action(async (names: string[], chosen: InspectOptions & LimitChoice) => {
      const { inspect } = await import('./commands/inspect.js');
      await inspect(names, chosen, opening(chosen));
    });

  program
    .command('verify')
    .addHelpText('after', examplesOf('verify'))
    .description('read everything and check every checksum')
    .argument('<file...>', FILES)
    .option(...JSON_OPTION)
    .option(...WORKERS)
    .option(...LIMIT)
    .action(async (names: string[], chosen: VerifyChoice & LimitChoice & WorkersChoice) => {
      const { verify } = await import('./commands/verify.js');
      await verify(names, chosen, { ...opening(chosen), workers: chosen.workers });
    });

  addEncodeCommand(program, interrupted);

  program
    .command('decode')
    .addHelpText('after', examplesOf('decode'))
    .description(
      'convert an HCT or HoloTensor file to plain numbers, or a model file or directory to safetensors',
    )
    .argument(
      '<in>',
      'HCT, HoloTensor or model file, or model directory; by path or URL, - for standard input',
    )
    .requiredOption(
      '-o, --output <out>',
      'file.raw, file.npy, file.safetensors, - for raw bytes on standard output, or a directory for shards',
    )
    .option(
      '--fragments <list>',
      'HoloTensor: only these fragments: 0-2,5; model file: of each tensor the first n',
      options.fragmentList,
    )
    .option('--quality <q>', 'as many fragments as reach this cosine similarity', options.quality)
    .option('--bytes <n>', 'only what is in the first n bytes of the file', options.positiveInteger)
    .option('--tensor <name...>', 'model file: only these tensors')
    .option(...FORCE)
    .option(...JSON_OPTION)
    .option(...WORKERS)
    .option(...LIMIT)
    .action(async (path: string, { workers, ...chosen }: DecodeOptions & LimitChoice & WorkersChoice) => {
      const { decode } = await import('./commands/decode.js');
      await decode(path, chosen, { ...opening(chosen), workers });
    });

  program
    .command('quality')
    .addHelpText('after', examplesOf('quality'))
    .description('show how good a HoloTensor or model file is after each of its fragments')
    .argument('<file>', 'HoloTensor or model file, by path or URL, - for standard input')
    .option(
      '--against <source>',
      'compare with the original: HCT, safetensors (one file or shards), NumPy or raw bytes',
    )
    .option('--tensor <name>', 'which tensor of a safetensors file to compare with')
    .option('--plot <file.svg>', 'draw the quality over bytes')
    .option(...FORCE)
    .option(...JSON_OPTION)
    .option(...LIMIT)
    .action(async (path: string, chosen: QualityOptions & LimitChoice) => {
      const { quality } = await import('./commands/quality.js');
      await quality(path, chosen, opening(chosen));
    });

  addPlanCommand(program, interrupted);
  addBulkCommands(program, interrupted);

  program
    .command('bench')
    .addHelpText('after', examplesOf('bench'))
    .description('which encoding for a model: size, time, and bytes to qualities, for each of them')
    .argument('<file...>', 'safetensors file, shards or their index, or a folder of these; by path or URL')
    .option('--encoding <name...>', `of ${BENCH_CHOICES.join(', ')} (default: all)`, benchChoice)
    .option(...JSON_OPTION)
    .option(...WORKERS)
    .option(...LIMIT)
    .action(async (names: string[], chosen: BenchOptions & LimitChoice & WorkersChoice) => {
      const { bench } = await import('./commands/bench.js');
      await bench(names, chosen, { ...opening(chosen), workers: chosen.workers });
    });

  program
    .command('calibrate')
    .addHelpText('after', examplesOf('calibrate'))
    .description(
      'measure which tensors of an ONNX model matter, for encode --importance; needs onnxruntime-node or onnxruntime-web',
    )
    .argument('<model.onnx>', 'by path or URL')
    .requiredOption(
      '--samples <file...>',
      'inputs of one run each, by their names: .npz or .safetensors; .npy for a network of one input',
    )
    .option('-o, --output <out>', 'file.json, - for standard output', STANDARD)
    .option(
      '--cosine <q>',
      'similarity to which each tensor in turn is coarsened (default: 0.97)',
      options.cosine,
    )
    .option(...FORCE)
    .option(...JSON_OPTION)
    .action(async (name: string, chosen: CalibrateChoice) => {
      const { calibrateModel } = await import('./commands/calibrate.js');
      await calibrateModel(name, chosen, interrupted);
    });

  program
    .command('serve')
    .addHelpText('after', examplesOf('serve'))
    .description('serve a folder of models: ranges, CORS, entity tags; for development')
    .argument(
      '<folder>',
      'its files are served, except hidden ones and those that links lead to outside the folder',
    )
    .option('--port <n>', 'port; 0: any that is free', options.port, 8080)
    .option('--host <name>', 'address to listen at; 0.0.0.0: all, for other machines', '127.0.0.1')
    .option('--rate <bytes>', 'bytes per second of all responses together: 1e6', options.rate)
    .option(...JSON_OPTION)
    .action(async (folder: string, chosen: ServeOptions) => {
      const { serve } = await import('./commands/serve.js');
      await serve(folder, chosen, interrupted);
    });

  program
    .command('completion')
    .addHelpText('after', examplesOf('completion'))
    .description('write a script that completes commands, options and files in a shell')
    .argument('<shell>', SHELLS.join(', '), options.oneOf(...SHELLS))
    .action((shell: Shell) => completion(shell, program));

  for (const command of program.commands) {
    command.exitOverride().configureOutput(OUTPUT);
    command.addOption(verboseOption());
  }
  return program;
}
