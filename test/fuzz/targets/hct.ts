import { hctTensorStage } from '../../../operators/hctStages.js';
import { HctReader } from '../../../readers/hctReader.js';
import { HctWriter } from '../../../sinks/hct.js';
import { memorySink } from '../../../sinks/memory.js';
import { collectTensor } from '../../../sinks/tensor.js';
import { bytesSource } from '../../../sources/bytes.js';
import { planRuns } from '../../../src/hct/blockRun.js';
import { HctParser } from '../../../src/hct/parser.js';
import { decodeBlockRun } from '../../../src/hct/tasks.js';
import type { HctTensor } from '../../../src/hct/tensorCollector.js';
import { bitsPerElement, elementCount } from '../../../src/tensor/dtype.js';
import { viewBytes, viewElements } from '../../../src/tensor/tensor.js';
import { blockData } from '../../helpers/blockData.js';
import { concatBytes } from '../../helpers/bytes.js';
import { hctFixtures } from '../../helpers/hctFixtures.js';
import { chunked } from '../../helpers/streams.js';
import type { Reading, Seed, Target } from '../target.js';
import { hctAnatomy } from './hctAnatomy.js';
import { drive, pieces } from './stages.js';

/** HCT files: pushed as one chunk and in small ones, read at random, decoded as a worker does. */

/** Larger tensors are refused. */
const MAX_BYTES = 2 ** 18;
const LIMITS = { limits: { tensorBytes: MAX_BYTES, headerBytes: 2 ** 16 } } as const;

export async function hctTargets(): Promise<Target[]> {
  return [
    {
      name: 'hct',
      seeds: await hctSeeds(),
      anatomy: hctAnatomy,
      ways: [
        {
          name: 'pushed',
          read: async (input) => tensorReading(await pushed([input], {})),
        },
        {
          name: 'pushed in pieces, portable',
          read: async (input) => tensorReading(await pushed(pieces(input), { implementation: 'portable' })),
        },
        {
          name: 'stream',
          every: 4,
          read: async (input) => tensorReading(await collectTensor(chunked(input, 1000), LIMITS)),
        },
        {
          name: 'reader',
          async read(input, arena) {
            const reader = await HctReader.open(bytesSource(input), LIMITS);
            const { originalSize, dtype } = reader.header;
            if (originalSize > MAX_BYTES) return tensorReading(await reader.readAll());
            await reader.validateChecksums();
            const out = viewElements(dtype, arena.bytes(originalSize));
            return tensorReading(await reader.readAll({ out }));
          },
        },
        {
          name: 'reader, block by block, portable',
          async read(input) {
            const reader = await HctReader.open(bytesSource(input), {
              ...LIMITS,
              implementation: 'portable',
            });
            // The limit of a whole tensor.
            if (reader.header.originalSize > MAX_BYTES) return tensorReading(await reader.readAll());
            const blocks: Uint8Array[] = [];
            for (let i = 0; i < reader.header.blockCount; i++) blocks.push(await reader.readBlock(i));
            return { ...factsOf(reader), content: concatBytes(blocks) };
          },
        },
        { name: 'reader, rows', every: 2, read: readRows },
        { name: 'runs of a worker', read: readRuns },
      ],
      memory: (input) => 2 ** 21 + 16 * MAX_BYTES + 16 * input.length,
    },
  ];
}

async function pushed(
  chunks: readonly Uint8Array[],
  options: { readonly implementation?: 'portable' },
): Promise<HctTensor> {
  const [tensor] = await drive(await hctTensorStage({ ...LIMITS, ...options })(), chunks);
  return tensor!;
}

function factsOf({ shape, name, quantization, groupScales }: Omit<HctTensor, 'data' | 'dtype'>): Reading {
  return {
    facts: JSON.stringify({ shape, name, quantization, groupScales: groupScales && [...groupScales] }),
  };
}

function tensorReading(tensor: HctTensor): Reading {
  return { ...factsOf(tensor), content: viewBytes(tensor.data) };
}

/** One row after another, where rows begin at bytes. */
async function readRows(input: Uint8Array): Promise<Reading> {
  const reader = await HctReader.open(bytesSource(input), LIMITS);
  const [rows = 0, ...rest] = reader.shape;
  const whole =
    reader.shape.length === 0 || (bitsPerElement(reader.header.dtype) * elementCount(rest)) % 8 !== 0;
  if (whole || reader.header.originalSize > MAX_BYTES || rows > 64) {
    return tensorReading(await reader.readAll());
  }
  const parts: Uint8Array[] = [];
  for (let row = 0; row < rows; row++) parts.push(viewBytes((await reader.readRows(row, row + 1)).data));
  return { ...factsOf(reader), content: concatBytes(parts) };
}

async function readRuns(input: Uint8Array): Promise<Reading> {
  const reader = await HctReader.open(bytesSource(input), LIMITS);
  const { header, blocks } = reader;
  if (header.originalSize > MAX_BYTES) return tensorReading(await reader.readAll());
  const [start] = new HctParser(LIMITS).push(input);
  const blocksOffset = start?.kind === 'start' ? start.blocksOffset : 0;
  const outputs: Uint8Array[] = [];
  for (const run of planRuns(header, blocks, { maxBytes: 4096 })) {
    const compressed = input.subarray(blocksOffset + run.start, blocksOffset + run.end);
    const { output } = await decodeBlockRun({
      ...run,
      algorithm: header.algorithm,
      implementation: undefined,
      verify: true,
      compressed,
    });
    outputs.push(output);
  }
  return { ...factsOf(reader), content: concatBytes(outputs) };
}

export async function hctSeeds(): Promise<Seed[]> {
  const made: Seed[] = [
    await seed('tiny', { dtype: 'I8', shape: [4, 10], blockSize: 16 }),
    await seed('zstd', { dtype: 'F32', shape: [20, 30], blockSize: 1000, algorithm: 'zstd', name: 'a/b' }),
    await seed('lz4-deep', { dtype: 'BF16', shape: [2, 3, 4, 5, 6], blockSize: 300, name: 'é' }),
    await seed('cube', { dtype: 'F16', shape: [7, 5, 3], blockSize: 64 }),
    await seed('scalar', { dtype: 'F32', shape: [], algorithm: 'zstd' }),
    await seed('empty', { dtype: 'F32', shape: [0, 4] }),
    await seed('int4', { dtype: 'I4', shape: [7, 9], blockSize: 10 }),
    await seed('unchecked', { dtype: 'I8', shape: [100], blockSize: 30, blockChecksums: false }),
    await seed('version-1', { dtype: 'F32', shape: [10, 10], version: 1, blockSize: 128, algorithm: 'zstd' }),
    await seed('quantized', {
      dtype: 'I4',
      shape: [8, 8],
      blockSize: 16,
      quantization: {
        scheme: 'gptq-int4',
        perGroupScales: true,
        scaleBits: 0x3c00,
        zeroPoint: 1,
        groupSize: 16,
      },
      groupScales: Uint16Array.of(0x3c00, 0x3800, 0x3400, 0x3000),
    }),
  ];
  const references = hctFixtures
    .filter(({ bytes }) => bytes.length < 3000)
    .map(({ file, bytes }) => ({ name: file.replaceAll(/[/.]/g, '-'), bytes, sealed: false }));
  return [...made, ...references];
}

type Options = ConstructorParameters<typeof HctWriter>[1];

async function seed(name: string, options: Options): Promise<Seed> {
  const sink = memorySink();
  const writer = new HctWriter(sink, options);
  const bytes = Math.ceil((elementCount(options.shape) * bitsPerElement(options.dtype)) / 8);
  await writer.write(blockData(options.dtype === 'I4' ? 'zeros' : 'narrow', bytes));
  await writer.close();
  const sealed = options.version !== 1 && options.blockChecksums !== false;
  return { name, bytes: sink.bytes, sealed };
}
