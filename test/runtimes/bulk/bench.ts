/**
 * What the queue costs, and what a second worker gains: user and system time, and seconds, of the same conversion by one process
 * (`bulk run`) and by workers on a Redis of its own, into a folder, in turns; the least of the rounds. Units are whole tensors of
 * about 21 MB. Prints ratios: figures of `docs/scale.md`.
 * usage: npm run build && node --import tsx test/runtimes/bulk/bench.ts [rounds] [units]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { modelOf } from '../../helpers/models.js';
import { Project } from '../helpers/project.js';
import { redis } from './fleet.js';

const rounds = Number(process.argv[2] ?? 3);
const units = Number(process.argv[3] ?? 20);
const ROWS = 2560;
const COLUMNS = 4096;

const project = await Project.create('bulk');
mkdirSync(project.path('redis'));
await using queue = await redis(project.path('redis'));

/** About Gaussian, with columns of different scales, as bfloat16. */
function weights(seed: number): Uint16Array {
  let state = seed;
  return Uint16Array.from({ length: ROWS * COLUMNS }, (_, i) => {
    let sum = -2;
    for (let k = 0; k < 4; k++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      sum += state / 2 ** 32;
    }
    const [word] = new Uint32Array(Float32Array.of(0.03 * sum * (1 + (i % COLUMNS) / COLUMNS)).buffer);
    return word! >>> 16;
  });
}

const one = new Uint8Array(weights(1).buffer);
const names = Array.from({ length: units }, (_, i) => `layers.${i}.weight`);
const tensors = names.map((name) => ({ name, dtype: 'BF16' as const, shape: [ROWS, COLUMNS] }));
// Each its own content: the first weight is another.
const fill = (_: object, _byteLength: number, index: number) => one.with(0, index);
writeFileSync(project.path('model.safetensors'), modelOf(tensors, undefined, fill));

/** Says at its end what processor time it has taken, of all threads. */
const METER = `import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  process.stderr.write('; processor ' + (user + system) / 1e6);
});`;
writeFileSync(project.path('meter.mjs'), METER);
const environment = { ...process.env, REDIS_URL: queue.url };

async function holostream(...args: string[]): Promise<number> {
  const command = [
    '--import',
    project.path('meter.mjs'),
    project.path('node_modules/holostream/dist/cli/main.js'),
  ];
  const child: ChildProcess = spawn('node', [...command, 'bulk', ...args], {
    cwd: project.folder,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  const [, seconds] = /processor ([\d.]+)/.exec(said) ?? [];
  if (code !== 0 || seconds === undefined) throw new Error(said);
  return Number(seconds);
}

interface Took {
  readonly cpu: number;
  readonly seconds: number;
}

async function measure(work: () => Promise<number[]>): Promise<Took> {
  rmSync(project.path('out'), { recursive: true, force: true });
  const start = performance.now();
  const cpu = await work();
  return { cpu: cpu.reduce((sum, own) => sum + own, 0), seconds: (performance.now() - start) / 1000 };
}

const SOURCE = ['model.safetensors', '--to', 'out', '--output', 'model.holo.safetensors'];
const work = ['work', '--drain', '--workers', '1'];
const files = new Map<string, Buffer>();

async function byQueue(workers: number): Promise<Took> {
  rmSync(project.path('out'), { recursive: true, force: true });
  await holostream('add', ...SOURCE);
  return measure(() => Promise.all(Array.from({ length: workers }, () => holostream(...work))));
}

const WAYS = {
  'one process': () => measure(async () => [await holostream('run', ...SOURCE, '--workers', '1')]),
  'one worker': () => byQueue(1),
  'two workers': () => byQueue(2),
};
const least = new Map<string, Took>();
for (let round = 0; round < rounds; round++) {
  for (const [name, way] of Object.entries(WAYS)) {
    const took = await way();
    const { cpu, seconds } = least.get(name) ?? took;
    least.set(name, { cpu: Math.min(cpu, took.cpu), seconds: Math.min(seconds, took.seconds) });
    files.set(name, readFileSync(project.path('out/model.holo.safetensors')));
    console.log(`${name}: ${took.seconds.toFixed(1)} s, processor ${took.cpu.toFixed(1)} s`);
  }
}
const [alone, ...others] = [...files.values()];
if (!others.every((file) => file.equals(alone!))) throw new Error('the files differ');
const base = least.get('one process')!;
const megabytes = (units * one.length) / 1e6;
for (const [name, { cpu, seconds }] of least) {
  const ratios = `${(seconds / base.seconds).toFixed(3)} of the seconds, ${(cpu / base.cpu).toFixed(3)} of the processor time`;
  console.log(`${name}: ${(megabytes / seconds).toFixed(1)} MB/s, ${ratios}`);
}
project.remove();
