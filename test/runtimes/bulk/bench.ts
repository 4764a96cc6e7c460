/**
 * What the queue costs, and what a second worker gains: the same conversion by one process (`bulk run`) and by one worker and two
 * on a Redis of its own, into a folder, in turns. Units are whole tensors of about 21 MB. A round compares what ran next to each
 * other, because machines have other work, too; the figure is the median of the rounds. What a start takes is measured by itself:
 * with a model that is converted, and with a queue that is empty. Prints figures of `docs/scale.md`.
 * usage: npm run build && node --import tsx test/runtimes/bulk/bench.ts [rounds] [units]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { modelOf } from '../../helpers/models.js';
import { Project } from '../helpers/project.js';
import { redis } from './fleet.js';

const rounds = Number(process.argv[2] ?? 5);
const units = Number(process.argv[3] ?? 24);
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
  const start = performance.now();
  const cpu = await work();
  return { cpu: cpu.reduce((sum, own) => sum + own, 0), seconds: (performance.now() - start) / 1000 };
}

const SOURCE = ['model.safetensors', '--to', 'out', '--output', 'model.holo.safetensors'];
const run = async () => [await holostream('run', ...SOURCE, '--workers', '1')];
const work = (count: number) => () =>
  Promise.all(Array.from({ length: count }, () => holostream('work', '--drain', '--workers', '1')));

const removeAll = () => rmSync(project.path('out'), { recursive: true, force: true });

async function byQueue(workers: number): Promise<Took> {
  removeAll();
  await holostream('add', ...SOURCE);
  return measure(work(workers));
}

type Way = 'one process' | 'one worker' | 'two workers' | 'start of a process' | 'start of a worker';

const WAYS: Readonly<Record<Way, () => Promise<Took>>> = {
  'one process': () => {
    removeAll();
    return measure(run);
  },
  'one worker': () => byQueue(1),
  'two workers': () => byQueue(2),
  // The model is converted, the queue is empty.
  'start of a process': () => measure(run),
  'start of a worker': () => measure(work(1)),
};
const RATIOS: readonly (readonly [Way, Way])[] = [
  ['one worker', 'one process'],
  ['two workers', 'one process'],
  ['two workers', 'one worker'],
];

const took = Object.fromEntries(Object.keys(WAYS).map((way) => [way, [] as Took[]])) as Record<Way, Took[]>;
let expected: Buffer | undefined;
for (let round = 0; round < rounds; round++) {
  const [first, second, ...others] = Object.keys(WAYS) as Way[];
  // Whichever is first has another state of the machine.
  const order = round % 2 === 0 ? [first!, second!] : [second!, first!];
  for (const way of [...order, ...others]) {
    const { seconds, cpu } = await WAYS[way]();
    took[way].push({ seconds, cpu });
    console.log(`${way}: ${seconds.toFixed(2)} s, processor ${cpu.toFixed(2)} s`);
    const file = readFileSync(project.path('out/model.holo.safetensors'));
    expected ??= file;
    if (!file.equals(expected)) throw new Error(`the file of ${way} differs`);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

console.log(`\nmedians of ${rounds} rounds, ${units} units of ${one.length} bytes`);
const of = (way: Way, key: keyof Took) => median(took[way].map((one) => one[key]));
for (const way of Object.keys(WAYS) as Way[]) {
  const seconds = of(way, 'seconds');
  const rate = way.startsWith('start') ? '' : `, ${((units * one.length) / 1e6 / seconds).toFixed(1)} MB/s`;
  console.log(`${way}: ${seconds.toFixed(2)} s, processor ${of(way, 'cpu').toFixed(2)} s${rate}`);
}
for (const [a, b] of RATIOS) {
  const ratio = (key: keyof Took) => median(took[a].map((one, i) => one[key] / took[b][i]![key])).toFixed(3);
  console.log(`${a} to ${b}: ${ratio('seconds')} of the seconds, ${ratio('cpu')} of the processor time`);
}
const fixed = of('start of a worker', 'cpu') - of('start of a process', 'cpu');
const whole = of('one worker', 'cpu') - of('one process', 'cpu');
const perUnit = (1000 * (whole - fixed)) / units;
console.log(`queue: ${fixed.toFixed(2)} s of processor time per worker, ${perUnit.toFixed(1)} ms per unit`);
project.remove();
