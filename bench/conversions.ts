import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileSink } from '../sinks/file.js';
import { SafetensorsWriter } from '../sinks/safetensors.js';
import { float32ToBfloat16 } from '../src/tensor/float.js';
import { viewBytes } from '../src/tensor/tensor.js';
import { normalFrom } from '../test/helpers/random.js';
import { trainedLike } from '../test/helpers/trained.js';

const ROUNDS = 3;

interface Checkpoint {
  readonly name: string;
  readonly shards: number;
  /** Of each shard. */
  readonly shapes: readonly (readonly [rows: number, columns: number, times: number])[];
  readonly weights: (shape: readonly [number, number], seed: number) => Float32Array;
}

const LARGE = [
  [8192, 2048, 5],
  [5632, 2048, 3],
  [2048, 2048, 3],
  [256, 2048, 3],
] as const;

const CHECKPOINTS: readonly Checkpoint[] = [
  { name: 'rows of very different scale', shards: 3, shapes: LARGE, weights: trainedLike },
  { name: 'as most layers of networks are', shards: 3, shapes: LARGE, weights: likeLayers },
  {
    name: 'the same, one file',
    shards: 1,
    shapes: [
      [8192, 2048, 3],
      [2048, 2048, 3],
      [256, 2048, 2],
    ],
    weights: likeLayers,
  },
];

interface Cost {
  readonly wall: number;
  /** Seconds of all threads, in the program and in the system. */
  readonly cpu: number;
  readonly peak: number;
}

/**
 * `encode` and `decode` of bf16 checkpoints, by the command of `npm run build`, beside `zstd -3 -T1`; `--old=DIR` names
 * another clone that has been built. In turns, the least of each: what the other cores do counts least there.
 */
export async function run(options: readonly string[]): Promise<void> {
  const old = options.find((option) => option.startsWith('--old='))?.slice('--old='.length);
  const builds = [
    ['', fileURLToPath(new URL('..', import.meta.url))],
    ...(old === undefined ? [] : [['old ', resolve(old)]]),
  ] as const;
  for (const checkpoint of CHECKPOINTS) await measureCheckpoint(checkpoint, builds);
}

async function measureCheckpoint(
  checkpoint: Checkpoint,
  builds: readonly (readonly string[])[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  try {
    const shards: string[] = [];
    for (let i = 0; i < checkpoint.shards; i++) shards.push(await writeShard(folder, checkpoint, i));
    const costs = new Map<string, Cost>();
    const measure = async (name: string, command: string, args: readonly string[]) => {
      const cost = await costOf(command, args, folder);
      const best = costs.get(name) ?? cost;
      costs.set(name, {
        wall: Math.min(best.wall, cost.wall),
        cpu: Math.min(best.cpu, cost.cpu),
        peak: Math.max(best.peak, cost.peak),
      });
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (const shard of shards) await rm(join(folder, `${shard}.zst`), { force: true });
      await measure('zstd -3 -T1', 'zstd', ['-3', '-T1', '-q', '-k', ...shards]);
      for (const [name, place] of builds) {
        // The build that is called old has no such option.
        for (const workers of name === '' ? [[], ['--workers', '0']] : [[]]) {
          const command = [join(place!, 'dist/cli/main.js')];
          await rm(join(folder, 'again'), { recursive: true, force: true });
          await rm(join(folder, 'model.holo.safetensors'), { force: true });
          const label = `${name}%${workers.length > 0 ? ' --workers 0' : ''}`;
          const encode = ['encode', ...shards, '-o', 'model.holo.safetensors', ...workers];
          await measure(label.replace('%', 'encode'), process.execPath, [...command, ...encode]);
          // Older builds take the model's own tensors for too large for their bytes.
          const limit = name === '' ? [] : ['--limit', 'ratio=100000'];
          const decode = ['decode', 'model.holo.safetensors', '-o', 'again/', ...workers, ...limit];
          await measure(label.replace('%', 'decode'), process.execPath, [...command, ...decode]);
        }
      }
    }
    const sizes = await Promise.all(shards.map((shard) => stat(join(folder, shard))));
    const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
    console.log(`${(bytes / 1e6).toFixed(0)} MB, ${checkpoint.name}:`);
    const zstd = costs.get('zstd -3 -T1')!;
    for (const [name, { wall, cpu, peak }] of costs) {
      const words = [
        `${(bytes / 1e6 / wall).toFixed(0)} MB/s`,
        ...compared(name, wall, costs),
        `${(zstd.wall / wall).toFixed(2)} × the speed of zstd`,
        `${cpu.toFixed(2)} s of all threads`,
        `peak ${(peak / 1e6).toFixed(0)} MB`,
      ];
      console.log(`${name.padEnd(22)} ${words.join(', ')}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** How many times as fast as the old build. */
function compared(name: string, wall: number, costs: ReadonlyMap<string, Cost>): string[] {
  const old = costs.get(`old ${name.split(' ')[0]}`);
  return old === undefined || name.startsWith('old') ? [] : [`${(old.wall / wall).toFixed(2)} × old`];
}

async function writeShard(
  folder: string,
  { shards, shapes, weights }: Checkpoint,
  number: number,
): Promise<string> {
  const name = `model-0000${number + 1}-of-0000${shards}.safetensors`;
  const tensors = shapes
    .flatMap(([rows, columns, times]) => Array.from({ length: times }, () => [rows, columns] as const))
    .map((shape, i) => ({ name: `shard${number}.w${i}`, dtype: 'BF16' as const, shape }));
  const writer = await SafetensorsWriter.open(await fileSink(join(folder, name)), tensors);
  for (const [i, tensor] of tensors.entries()) {
    const values = float32ToBfloat16(weights(tensor.shape, tensors.length * number + i + 1));
    await writer.write(tensor.name, viewBytes(values));
  }
  await writer.close();
  return name;
}

/** Rows and columns of which few have twice the scale of others. Kernels take about as long for it as for real layers. */
function likeLayers([rows, columns]: readonly [number, number], seed: number): Float32Array {
  const normal = normalFrom(seed);
  const scales = Array.from({ length: columns }, () => Math.exp(0.2 * normal()));
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const scale = 0.02 * Math.exp(0.2 * normal());
    for (let c = 0; c < columns; c++) values[r * columns + c] = scale * scales[c]! * normal();
  }
  return values;
}

/** Of a process, as GNU time tells it, because Node does not know what its child took. */
function costOf(command: string, args: readonly string[], cwd: string): Promise<Cost> {
  return new Promise((resolveCost, reject) => {
    const child = spawn('/usr/bin/time', ['-f', '%e %U %S %M', command, ...args], { cwd });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error(`${command} failed: ${said}`));
      const [wall, user, system, peak] = said.trim().split('\n').at(-1)!.split(' ').map(Number);
      resolveCost({ wall: wall!, cpu: user! + system!, peak: 1024 * peak! });
    });
  });
}
