import type { Command } from 'commander';
import { COMPRESSION_ALGORITHMS } from '../../src/codecs/codec.js';
import { examplesOf } from '../help.js';
import type { EncodeOptions } from '../options.js';
import * as options from '../options.js';
import { FORCE, JSON_OPTION, WORKERS } from '../sharedOptions.js';

/** The command with most options; its code is loaded when it is called. */
export function addEncodeCommand(program: Command, interrupted: AbortSignal): void {
  program
    .command('encode')
    .addHelpText('after', examplesOf('encode'))
    .description(
      'compress a tensor (.hct) or a model (directory), or cut them into fragments (.holo, .holo.safetensors)',
    )
    .argument(
      '<in...>',
      'safetensors file, shards or their index, or a folder of these, an ONNX, GGUF, PyTorch or TensorFlow.js model, a NumPy file or archive, or raw bytes with --dtype and --shape; by path, URL or hf:org/model, - for standard input',
    )
    .requiredOption(
      '-o, --output <out>',
      'file.hct, file.holo, model.holo.safetensors, a directory (ends with /), or - for HCT on standard output',
    )
    .option('--tensor <name>', 'which tensor of a safetensors file')
    .option('--dtype <dtype>', 'element type of raw bytes; F32: round what is in a NumPy file', options.dtype)
    .option('--shape <shape>', 'shape of raw bytes: 64,48', options.shape)
    .option('--algorithm <name>', 'zstd (default) or lz4', options.oneOf(...COMPRESSION_ALGORITHMS))
    .option('--level <n>', 'Zstd level', options.zstdLevel)
    .option('--hct-version <n>', '.hct: 1 or 2 (default: 2)', options.oneOf('1', '2'))
    .option('--block-size <bytes>', '.hct: uncompressed bytes of a block', options.positiveInteger)
    .option('--no-block-checksums', '.hct: leave out the checksums of blocks')
    .option(
      '--encoding <name>',
      '.holo: embedded (default), spectral, random-projection or low-rank',
      options.oneOf('embedded', 'spectral', 'random-projection', 'low-rank'),
    )
    .option(
      '--fragments <n>',
      '.holo, .holo.safetensors: fragments per tensor (default: 8; in .holo.safetensors 3 to 16, by its size)',
      options.fragmentCount,
    )
    .option(
      '--qualities <list>',
      '.holo, .holo.safetensors, embedded: cosines where fragments end, in place of their number: 0.5,0.9,0.99,exact',
      options.cuts,
    )
    .option(
      '--layout <name>',
      '.holo: raster, ranked or essential (spectral); sequential or interleaved (low-rank)',
      options.oneOf('raster', 'ranked', 'essential', 'sequential', 'interleaved'),
    )
    .option('--rank <n>', '.holo, low-rank: most components to keep', options.positiveInteger)
    .option('--residual', '.holo, low-rank: a last fragment makes the whole exact')
    .option('--keep <pattern>', '.holo.safetensors: tensors to store as they are: *.bias', options.pattern)
    .option(
      '--order <name>',
      '.holo.safetensors: which tensors count more: balanced (default; convolutions), or elements (large ones)',
      options.oneOf('balanced', 'elements'),
    )
    .option(
      '--importance <file>',
      '.holo.safetensors: JSON of factors by tensor name or pattern: { "head.*": 4 }',
    )
    .option(
      '--weights-name <name>',
      'ONNX: what the graph calls the file of its weights (default: as the model, with .safetensors); model.onnx_data for transformers.js',
      options.fileName,
    )
    .option('--resume', '.holo.safetensors: continue an interrupted run')
    .option('--seed <n>', '.holo: for encodings that draw random numbers', options.seed)
    .option('--dry-run', 'say what would be written, and write nothing')
    .option(...FORCE)
    .option(...JSON_OPTION)
    .option(...WORKERS)
    .action(async (names: string[], chosen: EncodeOptions) => {
      const { encode } = await import('../commands/encode.js');
      await encode(names, chosen, interrupted);
    });
}
