#!/usr/bin/env node
/** The command `holostream`: one file a command in `commands/`, loaded only when it is called. */

import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import type { DecodeOptions } from './commands/decode.js';
import type { EncodeOptions } from './commands/encode.js';
import type { InspectOptions } from './commands/inspect.js';
import type { CommandContext } from './context.js';
import { describeFailure } from './failure.js';
import * as options from './options.js';

const { version } = createRequire(import.meta.url)('holostream/package.json') as { version: string };

const interruption = new AbortController();
const context: CommandContext = { signal: interruption.signal };

// The first signal lets the command put away what it was writing; a second one ends the process at once.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(signal, () => {
    process.exitCode = 128 + number;
    interruption.abort(new Error(`interrupted by ${signal}`));
  });
}

// `… | head` takes what it wants and goes: the end, but nothing went wrong. No file is being written meanwhile.
process.stdout.once('error', (error) => {
  report(error);
  process.exit();
});

const program = new Command('holostream')
  .description('Compresses, inspects and streams the weights of neural networks.')
  .version(version)
  .option('--verbose', 'show the stack of an error')
  .exitOverride()
  // Errors are reported below, all in one way.
  .configureOutput({ outputError: () => {} });

program
  .command('inspect')
  .description('show what is in a file or model directory')
  .argument('<file>', 'HCT or safetensors file, or model directory')
  .option('--json', 'as JSON')
  .action(async (path: string, chosen: InspectOptions) => {
    const { inspect } = await import('./commands/inspect.js');
    await inspect(context, path, chosen);
  });

program
  .command('verify')
  .description('read everything and check every checksum')
  .argument('<file>', 'HCT or safetensors file, or model directory')
  .action(async (path: string) => {
    const { verify } = await import('./commands/verify.js');
    await verify(context, path);
  });

program
  .command('encode')
  .description('compress a tensor into an HCT file, or a safetensors model into a directory of them')
  .argument('<in>', 'safetensors file, or raw bytes with --dtype and --shape; - for standard input')
  .requiredOption('-o, --output <out>', 'HCT file, - for standard output, or a directory (ends with /)')
  .option('--tensor <name>', 'which tensor of a safetensors file')
  .addOption(new Option('--dtype <dtype>', 'element type of raw bytes').argParser(options.dtype))
  .option('--shape <shape>', 'shape of raw bytes: 64,48', options.shape)
  .addOption(new Option('--algorithm <name>', 'compression').choices(['lz4', 'zstd']).default('lz4'))
  .addOption(new Option('--hct-version <n>', 'version of HCT').choices(['1', '2']).default('2'))
  .option('--block-size <bytes>', 'uncompressed bytes of a block', options.positiveInteger)
  .option('--no-block-checksums', 'leave out the checksums of blocks')
  .option('--level <n>', 'Zstd level', options.zstdLevel)
  .action(async (path: string, chosen: EncodeOptions) => {
    const { encode } = await import('./commands/encode.js');
    await encode(context, path, chosen);
  });

program
  .command('decode')
  .description('turn an HCT file into plain numbers, or a model directory into a safetensors file')
  .argument('<in>', 'HCT file, - for standard input, or a model directory')
  .requiredOption(
    '-o, --output <out>',
    'file.raw, file.npy, file.safetensors, or - for raw bytes on standard output',
  )
  .action(async (path: string, chosen: DecodeOptions) => {
    const { decode } = await import('./commands/decode.js');
    await decode(context, path, chosen);
  });

// Options of the program itself, such as --verbose, are taken behind the command too.
for (const command of program.commands) {
  command.exitOverride().configureOutput({ outputError: () => {} });
  command.addOption(new Option('--verbose').hideHelp());
}

try {
  await program.parseAsync();
} catch (error) {
  report(error);
}

function report(error: unknown): void {
  const { code, message } = describeFailure(error);
  // After a signal the code is the signal's, set by its handler.
  if (!interruption.signal.aborted) process.exitCode = code;
  if (message === '') return;
  process.stderr.write(`holostream: ${message}\n`);
  const verbose = process.argv.includes('--verbose');
  if (verbose && error instanceof Error && !(error instanceof CommanderError)) {
    process.stderr.write(`${error.stack}\n`);
  }
}
