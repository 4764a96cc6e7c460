import { existsSync } from 'node:fs';
import { HctReader } from '../../../readers/hctReader.js';
import { HoloTensorReader } from '../../../readers/holotensorReader.js';
import { bytesSource } from '../../../sources/bytes.js';
import { loadDecodings } from '../../../src/encodings/decodings.js';
import { planRuns } from '../../../src/hct/blockRun.js';
import { HctParser } from '../../../src/hct/parser.js';
import { decodeBlockRun } from '../../../src/hct/tasks.js';
import { reconstructStep, reconstructStored } from '../../../src/holotensor/tasks.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { WorkerPool } from '../../../workers/pool.js';
import { concatBytes } from '../../helpers/bytes.js';
import type { Reading, Target } from '../target.js';
import { isHct, tensorFileAnatomy, tensorFileSeeds } from './tensorFiles.js';

/** The tasks of workers, in this thread and in another one: files of both formats, whose bytes pass between threads. */

const MAX_BYTES = 2 ** 16;
const LIMITS = { limits: { tensorBytes: MAX_BYTES, headerBytes: 2 ** 14 } } as const;

/** Compiled, the script of workers is where a pool looks for it. */
const SCRIPT = new URL('../../../workers/worker.js', import.meta.url);
const SCRIPT_FROM_SOURCE = new URL('../../helpers/workerFromSource.mjs', import.meta.url);

/** Runs the tasks of one input. */
interface Tasks {
  readonly decodeBlockRun: (input: Parameters<typeof decodeBlockRun>[0]) => Promise<Uint8Array>;
  readonly reconstructStored: (input: Parameters<typeof reconstructStored>[0]) => Promise<Uint8Array>;
  readonly refine: (steps: readonly Parameters<typeof reconstructStep>[0][]) => Promise<Uint8Array>;
}

export async function workerTargets(): Promise<Target[]> {
  await loadDecodings();
  const pool = new WorkerPool(1, { url: existsSync(SCRIPT) ? SCRIPT : SCRIPT_FROM_SOURCE });
  return [
    {
      name: 'workers',
      seeds: await tensorFileSeeds(),
      anatomy: tensorFileAnatomy,
      ways: [
        { name: 'in this thread', read: (input) => read(input, IN_THIS_THREAD) },
        { name: 'in a worker', read: (input) => read(input, inWorker(pool)) },
      ],
      memory: (input) => 2 ** 23 + 64 * MAX_BYTES + 64 * input.length,
    },
  ];
}

function read(input: Uint8Array, tasks: Tasks): Promise<Reading> {
  return isHct(input) ? readRuns(input, tasks) : readFragments(input, tasks);
}

async function readRuns(input: Uint8Array, tasks: Tasks): Promise<Reading> {
  const { header, blocks } = await HctReader.open(bytesSource(input), LIMITS);
  const [start] = new HctParser(LIMITS).push(input);
  const blocksOffset = start?.kind === 'start' ? start.blocksOffset : 0;
  const outputs: Uint8Array[] = [];
  for (const run of planRuns(header, blocks, { maxBytes: 4096 })) {
    const compressed = input.subarray(blocksOffset + run.start, blocksOffset + run.end);
    const format = { algorithm: header.algorithm, implementation: undefined, verify: true };
    outputs.push(await tasks.decodeBlockRun({ ...run, ...format, compressed }));
    if (outputs.length > MAX_BYTES / 4096) break;
  }
  return { content: concatBytes(outputs) };
}

async function readFragments(input: Uint8Array, tasks: Tasks): Promise<Reading> {
  const reader = await HoloTensorReader.open(bytesSource(input), LIMITS);
  const header = input.subarray(0, 96);
  const fragments = reader.entries.map((entry) => {
    const start = reader.dataStart + entry.offset;
    return { entry, stored: input.subarray(start, start + entry.compressedSize) };
  });
  const stored = await tasks.reconstructStored({ header, fragments, options: LIMITS });
  const steps: Parameters<typeof reconstructStep>[0][] = [];
  for (const { index } of reader.entries) {
    const { data, entry } = await reader.readFragment(index);
    steps.push({ header, options: LIMITS, fragment: { index, data, entry } });
  }
  const refined = await tasks.refine([...steps, { header, options: LIMITS, reconstruct: {} }]);
  return { content: concatBytes([stored, refined]) };
}

const IN_THIS_THREAD: Tasks = {
  decodeBlockRun: async (input) => (await decodeBlockRun(input)).output,
  reconstructStored: async (input) =>
    viewBytes((await reconstructStored(input, new AbortController().signal)).output.data),
  async refine(steps) {
    const state = {};
    const outputs = [];
    for (const step of steps) outputs.push(await reconstructStep(step, new AbortController().signal, state));
    return viewBytes(outputs.at(-1)!.output.reconstruction!.data);
  },
};

function inWorker(pool: WorkerPool): Tasks {
  return {
    decodeBlockRun: (input) => pool.run('decodeBlockRun', input),
    reconstructStored: async (input) => viewBytes((await pool.run('reconstructStored', input)).data),
    async refine(steps) {
      const session = pool.openSession();
      try {
        const outputs = [];
        for (const input of steps)
          outputs.push(await session.runPrepared('reconstructStep', () => ({ input })));
        return viewBytes(outputs.at(-1)!.reconstruction!.data);
      } finally {
        session.close();
      }
    },
  };
}
