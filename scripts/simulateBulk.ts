/**
 * A fleet on paper: workers that take units from a queue, die now and then, and lose what they have under way, which others take
 * over once the silence is noticed. A very large tensor is divided: a plan, then ranges, then its layout. Prints what it takes.
 * usage: npx tsx scripts/simulateBulk.ts [-- --workers 1000 --models 10000 --gigabytes 20 --tables 1 --mtbf 7200 --seed 1]
 */
import { parseArgs } from 'node:util';
import { SeededRng } from '../src/kernels/gaussian/rng.js';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    workers: { type: 'string', default: '1000' },
    models: { type: 'string', default: '10000' },
    /** Of a model. */
    gigabytes: { type: 'string', default: '20' },
    /** Gigabytes of each of the two tables of a model: of the embedding and of the last layer. */
    tables: { type: 'string', default: '1' },
    /** Megabytes of tensors that a worker encodes in a second. */
    rate: { type: 'string', default: '25' },
    /** Seconds that a worker lives, on average. */
    mtbf: { type: 'string', default: '7200' },
    /** Seconds until a dead worker is noticed, and until another has started. */
    stalled: { type: 'string', default: '60' },
    restart: { type: 'string', default: '120' },
    /** Share of requests to the storage that fail, and are tried again. */
    errors: { type: 'string', default: '0.001' },
    seed: { type: 'string', default: '1' },
  },
});
const number = (name: keyof typeof values) => Number(values[name]);

const UNIT_BYTES = 2 ** 25;
/** Larger tensors are divided. */
const MAX_UNIT_BYTES = 2 ** 27;
/** Times as fast as encoding, as estimated from single runs: a plan reads the tensor once, a layout what it has become. */
const PLAN_SPEED = 6;
const LAYOUT_SPEED = 3;
/** Sizes of tensors of a model: small ones are grouped, large ones are units of their own. */
const LARGE_SHARE = 0.9;
const LARGE_BYTES = 1.2e8;
/** Fragments of a cut tensor, and its header: each is a read of the join. */
const PIECES = 17;
/** Requests of a unit beside its source: note, head, head, write, note. */
const UNIT_REQUESTS = 5;
/** Of a range by the layout: its head, what is known of its tiles, and its runs. */
const LAYOUT_READS = 30;
const PART_BYTES = 2 ** 23;
/** Measured in `docs/scale.md`. */
const JOB_BYTES = 1800;
/** Commands of Redis for a job: added, taken, kept alive, done. */
const JOB_COMMANDS = 12;

const random = new SeededRng(BigInt(number('seed')));
const uniform = () => (Number(random.nextU64() >> 11n) + 0.5) / 2 ** 53;
const exponential = (mean: number) => -mean * Math.log(uniform());

/** What is due, the earliest first. */
class Heap<T> {
  readonly #items: { readonly time: number; readonly value: T }[] = [];

  get next(): number {
    return this.#items[0]?.time ?? Infinity;
  }

  add(time: number, value: T): void {
    const items = this.#items;
    let at = items.length;
    items.push({ time, value });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]!.time <= time) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = { time, value };
  }

  take(): { readonly time: number; readonly value: T } {
    const items = this.#items;
    const first = items[0]!;
    const last = items.pop()!;
    if (items.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]!.time < items[child]!.time) child++;
      if (items[child]!.time >= last.time) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return first;
  }
}

/** A tensor that is divided. */
interface Tensor {
  readonly size: number;
  readonly ranges: number;
  /** Ranges that are not encoded yet. */
  left: number;
  /** When the last one was. */
  end: number;
}

interface Job {
  readonly kind: 'unit' | 'plan' | 'range' | 'layout';
  /** As many bytes are encoded in the time that it takes. */
  readonly work: number;
  readonly tensor: Tensor | undefined;
}

/** The job of a tensor: it divides those that are too large. */
function jobOf(size: number): Job {
  if (size <= MAX_UNIT_BYTES) return { kind: 'unit', work: size, tensor: undefined };
  const ranges = Math.ceil(size / MAX_UNIT_BYTES);
  return { kind: 'plan', work: size / PLAN_SPEED, tensor: { size, ranges, left: ranges, end: 0 } };
}

/** Jobs of one model that can be done at once. */
function jobsOfModel(): Job[] {
  const jobs: Job[] = [];
  const tables = number('tables') * 1e9;
  const total = number('gigabytes') * 1e9;
  for (let i = 0; i < 2; i++) if (tables > 0) jobs.push(jobOf(tables));
  for (let left = total * LARGE_SHARE - 2 * tables; left > 0; ) {
    const size = Math.min(left, LARGE_BYTES * (0.25 + 1.5 * uniform()));
    jobs.push(jobOf(size));
    left -= size;
  }
  for (let left = total * (1 - LARGE_SHARE); left > 0; left -= UNIT_BYTES)
    jobs.push(jobOf(Math.min(left, UNIT_BYTES)));
  return jobs;
}

/** What can be done once a job has been, and when. */
function nextOf({ kind, tensor }: Job, time: number): Job[] {
  if (tensor === undefined || kind === 'layout') return [];
  const { size, ranges } = tensor;
  tensor.end = Math.max(tensor.end, time);
  if (kind === 'plan')
    return Array.from({ length: ranges }, () => ({ kind: 'range', work: size / ranges, tensor }));
  tensor.left--;
  return tensor.left > 0 ? [] : [{ kind: 'layout', work: size / LAYOUT_SPEED, tensor }];
}

const workers = number('workers');
const models = number('models');
const bytesPerSecond = number('rate') * 1e6;
const queue: Job[] = [];
for (let model = 0; model < models; model++) for (const job of jobsOfModel()) queue.push(job);

const free = new Heap<number>();
/** What was lost or had to wait for others, by the time from which on it can be done. */
const later = new Heap<Job>();
for (let worker = 0; worker < workers; worker++) free.add(0, exponential(number('mtbf')));
let position = 0;
let [end, work, wasted, deaths, twice, idle] = [0, 0, 0, 0, 0, 0];
const counts = { unit: 0, plan: 0, range: 0, layout: 0 };
while (free.next < Infinity) {
  const { time, value: dies } = free.take();
  let job: Job;
  if (later.next <= time) job = later.take().value;
  else if (position < queue.length) job = queue[position++]!;
  else {
    // Nothing waits: what others have under way may be lost, or be followed by more.
    if (later.next === Infinity) idle++;
    else free.add(later.next, dies);
    continue;
  }
  const tries = 1 + (uniform() < 1 - (1 - number('errors')) ** UNIT_REQUESTS ? 0.02 : 0);
  const takes = (job.work / bytesPerSecond) * tries;
  const dead = time + takes > dies;
  if (dead) {
    const lived = Math.max(0, dies - time);
    wasted += lived;
    deaths++;
    twice++;
    const noticed = dies + number('stalled') * (1 + uniform() / 2);
    later.add(noticed, job);
    const back = Math.max(time, dies) + number('restart');
    free.add(back, back + exponential(number('mtbf')));
  } else {
    counts[job.kind]++;
    work += takes;
    for (const next of nextOf(job, time + takes)) later.add(job.tensor!.end, next);
    end = Math.max(end, time + takes);
    free.add(time + takes, dies);
  }
}

const bytes = queue.reduce((sum, { work, tensor }) => sum + (tensor?.size ?? work), 0);
const units = counts.unit + counts.range;
/** Jobs of the queue: that of a divided tensor makes its plan, and its layout later. */
const queued = units + counts.plan;
const joinReads = units * PIECES;
const parts = Math.ceil((0.7 * bytes) / PART_BYTES);
/** A layout reads the start of each range, and most of its runs. */
const layoutReads = counts.range * LAYOUT_READS;
const requests = units * (UNIT_REQUESTS + 1) + layoutReads + joinReads + parts;
const rows: readonly (readonly [string, string])[] = [
  ['models, TB', `${models}, ${(bytes / 1e12).toFixed(1)}`],
  ['units', String(units)],
  ['tensors that are divided, into ranges', `${counts.plan}, ${counts.range}`],
  ['hours', (end / 3600).toFixed(2)],
  ['hours without deaths', (bytes / bytesPerSecond / workers / 3600).toFixed(2)],
  ['worker hours', ((work + wasted) / 3600).toFixed(0)],
  ['deaths of workers', String(deaths)],
  ['units begun twice or more', `${twice} (${((100 * twice) / queued).toFixed(2)} %)`],
  ['work lost', `${((100 * wasted) / (work + wasted)).toFixed(2)} %`],
  ['workers that found nothing to do at the end', String(idle)],
  ['requests to the storage, millions', (requests / 1e6).toFixed(1)],
  ['requests a second', (requests / end).toFixed(0)],
  ['Redis, all queued at once, GB', ((queued * JOB_BYTES) / 1e9).toFixed(2)],
  ['Redis commands a second', ((queued * JOB_COMMANDS) / end).toFixed(0)],
];
for (const [name, value] of rows) console.log(name.padEnd(48), value);
