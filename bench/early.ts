import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { encodeModelFile } from '../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../models/file/stagingStore.js';
import { openModel } from '../models/openModel.js';
import type { ModelProgress } from '../models/progress.js';
import { fileSink } from '../sinks/file.js';
import { generatedModel } from '../test/helpers/largeModel.js';
import { WorkerPool } from '../workers/pool.js';
import { pacedSource } from './pacedSource.js';

const QUALITY = 0.9;
const RATES = [10, 100, 1000];
const THREADS = [0, 2];
/** Loads at a rate of each kind; the median counts. */
const ROUNDS = 3;
const PROCESSOR_ROUNDS = 9;
const FILE = 'model.holo.safetensors';

/** 28 M weights, as a small language model has them. */
const SHAPES = Object.fromEntries([
  ['embedding', [8192, 1024]],
  ...Array.from({ length: 20 }, (_, i) => [`w${i}`, [1024, 1024]]),
]);

/**
 * How soon a model is useful: when a load from a throttled server, in a process of its own, has quality 0.9 of the whole, and when it
 * gives the arrays, against the larger of the times that its bytes take to arrive and to decode from memory, with the same workers.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  const pool = new WorkerPool(2, { url: new URL('../test/helpers/workerFromSource.mjs', import.meta.url) });
  try {
    const files = [{ name: 'model.safetensors', source: generatedModel(SHAPES) }];
    await encodeModelFile(files, await fileSink(join(folder, FILE)), memoryStagingStore());
    for (const rate of RATES) await atRate(folder, rate, pool);
    const file = await readFile(join(folder, FILE));
    for (const rate of RATES) await inProcessorTime(file, rate);
  } finally {
    pool.close();
    await rm(folder, { recursive: true });
  }
}

async function atRate(folder: string, megabits: number, pool: WorkerPool): Promise<void> {
  const server = await startServer(folder, (megabits * 1e6) / 8);
  try {
    const url = `${server.url}${FILE}`;
    const bytes = await bytesNeeded(url);
    const fromMemory = new Uint8Array(await (await fetchStart(url, bytes)).arrayBuffer());
    for (const threads of THREADS) {
      const workers = threads === 0 ? 0 : pool;
      // Threads and kernels are started by then.
      await load(fromMemory, workers);
      const rounds: Times[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const arrival = await timed(async () => (await fetchStart(url, bytes)).arrayBuffer());
        const decode = (await load(fromMemory, workers)).arrays;
        rounds.push({ arrival, decode, ...(await load(url, workers)) });
      }
      const of = (time: keyof Times) => median(rounds.map((times) => times[time]));
      const bound = Math.max(of('arrival'), of('decode'));
      const shown = (time: keyof Times) => `${of(time).toFixed(0)} ms`;
      console.log(
        `useful early, ${megabits} Mbit/s, ${threads} workers: ${(bytes / 1e6).toFixed(1)} MB arrive in ${shown('arrival')}, ` +
          `decode in ${shown('decode')}; quality ${QUALITY} in ${shown('quality')} (${(of('quality') / bound).toFixed(2)} ×), ` +
          `arrays in ${shown('arrays')} (${(of('arrays') / bound).toFixed(2)} ×)`,
      );
    }
  } finally {
    server.stop();
  }
}

/** The same without workers, in time of the processor: what else a machine computes does not matter. */
async function inProcessorTime(file: Uint8Array, megabits: number): Promise<void> {
  const rate = (megabits * 1e6) / 8;
  const rounds: { readonly arrival: number; readonly decode: number; readonly quality: number }[] = [];
  for (let round = 0; round < PROCESSOR_ROUNDS; round++) {
    const { bytes, quality } = await loadPaced(file, rate);
    const fromMemory = await loadPaced(file, Number.POSITIVE_INFINITY);
    rounds.push({ arrival: (1000 * bytes) / rate, decode: fromMemory.quality, quality });
  }
  const of = (time: 'arrival' | 'decode' | 'quality') => median(rounds.map((times) => times[time]));
  const bound = Math.max(of('arrival'), of('decode'));
  console.log(
    `useful early, ${megabits} Mbit/s, in processor time: arrive in ${of('arrival').toFixed(0)} ms, decode in ` +
      `${of('decode').toFixed(0)} ms; quality ${QUALITY} in ${of('quality').toFixed(0)} ms (${(of('quality') / bound).toFixed(2)} ×)`,
  );
}

/** When the model has the quality, and the bytes that came by then, those of the header among them. */
async function loadPaced(file: Uint8Array, rate: number): Promise<{ bytes: number; quality: number }> {
  const { source, now } = pacedSource(file, rate);
  await using model = await openModel(source);
  const header = file.length - model.plannedBytes();
  let found: { bytes: number; quality: number } | undefined;
  const onProgress = ({ bytes, quality }: ModelProgress) => {
    if (quality >= QUALITY) found ??= { bytes: header + bytes, quality: now() };
  };
  await model.load({ quality: QUALITY, onProgress });
  return found!;
}

/** The first bytes of the file, as far as the load reads. */
async function bytesNeeded(url: string): Promise<number> {
  await using model = await openModel(url);
  let bytes = 0;
  await model.load({ quality: QUALITY, onProgress: (progress) => (bytes = progress.bytes) });
  const { headers } = await fetch(url, { headers: { range: 'bytes=8-8' } });
  const size = Number(headers.get('content-range')!.split('/')[1]);
  // What is loaded is counted without the header before it.
  return bytes + size - (await openedAt(url));
}

/** Bytes of all pieces. */
async function openedAt(url: string): Promise<number> {
  await using model = await openModel(url);
  return model.plannedBytes();
}

function fetchStart(url: string, bytes: number): Promise<Response> {
  return fetch(url, { headers: { range: `bytes=0-${bytes - 1}` } });
}

/** Milliseconds. */
interface LoadTimes {
  /** Until the model has the quality. */
  readonly quality: number;
  /** Until its arrays are given. */
  readonly arrays: number;
}

interface Times extends LoadTimes {
  readonly arrival: number;
  readonly decode: number;
}

async function load(input: string | Uint8Array, workers: number | WorkerPool): Promise<LoadTimes> {
  const start = performance.now();
  await using model = await openModel(input, { partial: typeof input !== 'string' });
  let reached: number | undefined;
  const onProgress = ({ quality }: ModelProgress) => {
    if (quality >= QUALITY) reached ??= performance.now() - start;
  };
  await model.load({ quality: QUALITY, workers, onProgress });
  return { quality: reached!, arrays: performance.now() - start };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function startServer(folder: string, rate: number): Promise<{ url: string; stop(): void }> {
  const command = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
  const options = ['--port', '0', '--rate', String(rate), '--json'];
  const child = spawn(process.execPath, ['--import', 'tsx', command, 'serve', folder, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let json = '';
  for await (const line of createInterface(child.stdout)) {
    json += line;
    if (line === '}' || line.endsWith('}')) break;
  }
  const { url } = JSON.parse(json);
  return {
    url,
    stop() {
      child.kill();
      once(child, 'exit').catch(() => {});
    },
  };
}
