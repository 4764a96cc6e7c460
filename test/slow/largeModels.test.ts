import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModelFile } from '../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../models/file/stagingStore.js';
import { openModel } from '../../models/openModel.js';
import { fileSink } from '../../sinks/file.js';
import { BrowserTest, bundleWorker } from '../helpers/browser.js';
import { chromiumEngine, launchChromium } from '../helpers/engine.js';
import { generatedModel, llamaShapes } from '../helpers/largeModel.js';
import { longestTask } from '../helpers/longestTask.js';
import { memoryPeak } from '../helpers/rendererMemory.js';

/**
 * A model of some hundred megabytes, in a page and in Node: the event loop goes on while it loads. Tasks are counted in
 * time of the processor, because on a busy machine those of a clock say nothing; on one that does nothing else, both are about the
 * same. In Node, the longest task is compared with the whole load in the same run.
 */
const test = suite('large models');

const RUNS = 5;
/**
 * Of the longest task on a page's main thread, in time of the processor: in the median of the runs, and in four of five. 30 runs had 11
 * to 41 ms; but memory that is new to a virtual machine takes up to 20 times as long to write to, which two runs of five may meet:
 * then more runs decide.
 */
const MEDIAN_MS = 50;
const MOST_MS = 100;
const MOST_RUNS = 25;
/** In Node, of the processor's time of a load, in the median of the runs. Tensors given out in one stretch took 0.4 of it. */
const MAX_SHARE = 0.1;

/**
 * Loads of a page whose memory is measured, beyond its arrays and those of its tensors in their own dtype, which are the arrays where these
 * are of that dtype. The rest is code, kernels, garbage, what is on the way; of workers also. Of loads in the tensors' own dtype, 87 MB are the
 * fragments of the largest tensor, which are there until all arrays are. The least of some runs counts, because garbage is the engine's,
 * which collects it late on a busy machine. On one with two to five programs a core, four runs of the first took up to 26 MB, and 19 of
 * each of the last two 80 to 133 and 75 to 141.
 */
const MEMORY_LOADS = [
  '{}',
  '{ workers: 2 }',
  '{ quality: 0.99, workers: 2 }',
  "{ as: 'source' }",
  "{ as: 'source', workers: 2 }",
] as const;

const MEMORY_BYTES = 150e6;
/** Where half of them are within, all are beyond in one of 250 tries; nearly all are. */
const MEMORY_RUNS = 8;

const LOADS = ['{}', '{ quality: 0.99 }', "{ as: 'source' }", '{ workers: 2 }'] as const;

let folder: string;
let path: string;
let size: number;
/** Of the tensors as they were encoded. */
let sourceBytes: number;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  path = join(folder, 'model.holo.safetensors');
  const source = generatedModel(llamaShapes(1));
  sourceBytes = source.size!;
  await encodeModelFile([{ name: 'model.safetensors', source }], await fileSink(path), memoryStagingStore());
  ({ size } = await stat(path));
});

test.after(() => rm(folder, { recursive: true }));

/**
 * Ranges of the file. Of responses that may be stored, Chromium reads ahead all that has arrived, in one task
 * without any script: up to 133 ms of those, because no network lets it wait for bytes here. Those that may not be stored it reads as the
 * page asks for them.
 */
const serve: RequestListener = ({ headers }, response) => {
  const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? [];
  const [start, end] = [Number(from), Math.min(to === '' ? size : Number(to) + 1, size)];
  response.writeHead(206, {
    etag: '"1"',
    'cache-control': 'no-store',
    'content-length': end - start,
    'content-range': `bytes ${start}-${end - 1}/${size}`,
  });
  createReadStream(path, { start, end: end - 1 }).pipe(response);
};

/** The same, and the script of workers. */
async function withWorker(): Promise<RequestListener> {
  const worker = await bundleWorker();
  return (request, response) => {
    if (request.url !== '/worker.js') return serve(request, response);
    response.setHeader('content-type', 'text/javascript');
    response.end(worker);
  };
}

/** Milliseconds of the processor that a load takes, and its longest task. */
interface Times {
  readonly load: number;
  readonly longest: number;
}

function check(runs: readonly Times[], what: string): void {
  const sorted = runs.toSorted((a, b) => a.longest / a.load - b.longest / b.load);
  const shown = sorted.map(({ load, longest }) => `${longest.toFixed(0)} of ${load.toFixed(0)}`).join(', ');
  console.log(`\n${what}: longest tasks in ms: ${shown}`);
  const { load, longest } = sorted[sorted.length >> 1]!;
  assert.ok(longest <= MAX_SHARE * load, `${what}: ${shown}`);
}

const PAGE_SCRIPT = `
  import { openModel } from 'holostream';
  globalThis.loadAll = async (options, watch) => {
    const model = await openModel('/model.holo.safetensors');
    if (watch === 'updates') model.updates$.subscribe();
    const load = model.load(options);
    if (watch === 'snapshots') for await (const { complete } of model.snapshots()) if (complete) break;
    await load;
    await model.close();
  };
  globalThis.bytesOf = async (options) => {
    const model = await openModel('/model.holo.safetensors');
    const tensors = [...(await model.load(options)).values()];
    // Held until here.
    globalThis.kept = tensors;
    await model.close();
    return tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  };
  globalThis.ready = true;
`;

test('in a page, no task is long, whatever is loaded', async () => {
  const chromium = await launchChromium();
  const browser = await BrowserTest.open(PAGE_SCRIPT, await withWorker(), {}, () => chromiumEngine(chromium));
  try {
    const ways = [...LOADS.map((load) => [load, '']), ['{}', 'updates'], ['{}', 'snapshots']];
    for (const [options, watch] of ways) {
      const runs: number[] = [];
      while (runs.length < RUNS || (!areShort(runs) && runs.length < MOST_RUNS)) {
        const load = () => browser.tab.evaluate(`loadAll(${options}, '${watch}')`);
        runs.push(await longestTask(chromium, browser.tab, load));
        runs.sort((a, b) => a - b);
        await browser.load();
      }
      const shown = `${options} ${watch}: longest tasks in ms: ${runs.map((ms) => ms.toFixed(0)).join(', ')}`;
      console.log(`\n${shown}`);
      assert.ok(areShort(runs), shown);
    }
  } finally {
    await browser.close();
  }
});

function areShort(sorted: readonly number[]): boolean {
  return sorted[sorted.length >> 1]! <= MEDIAN_MS && sorted[Math.ceil(0.8 * sorted.length) - 1]! <= MOST_MS;
}

test('memory of a page: the arrays, those of incomplete tensors in their own dtype, and little more', async () => {
  const listener = await withWorker();
  for (const options of MEMORY_LOADS) {
    let shown = '';
    let isWithin = false;
    for (let run = 0; run < MEMORY_RUNS && !isWithin; run++) {
      const { peak, arrays } = await memoryOf(options, listener);
      const most = arrays + (options.includes("'source'") ? 0 : sourceBytes) + MEMORY_BYTES;
      shown = `${options}: ${mebibytes(peak)} of at most ${mebibytes(most)} MiB`;
      console.log(`\n${shown}`);
      assert.ok(peak > 0.5 * arrays, shown);
      isWithin = peak <= most;
    }
    assert.ok(isWithin, shown);
  }
});

/** Bytes that a load takes in a page at most, and those of the arrays that it gives. */
async function memoryOf(
  options: string,
  listener: RequestListener,
): Promise<{ peak: number; arrays: number }> {
  // A browser each: what a page has left behind would be part of the memory before the next load.
  const browser = await BrowserTest.open(PAGE_SCRIPT, listener);
  try {
    let arrays = 0;
    const peak = await memoryPeak(async () => {
      arrays = Number(await browser.tab.evaluate(`bytesOf(${options})`));
    });
    return { peak, arrays };
  } finally {
    await browser.close();
  }
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

test('in Node, the event loop goes on', async () => {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.holo.safetensors`;
  try {
    for (const options of [{}, { quality: 0.99 }, { as: 'source' }] as const) {
      const runs: Times[] = [];
      for (let run = 0; run < RUNS; run++) {
        await using model = await openModel(url);
        runs.push(await timesOf(() => model.load(options)));
      }
      check(runs, JSON.stringify(options));
    }
  } finally {
    server.close();
  }
});

/** Tasks are what is between two turns of the event loop. */
async function timesOf(work: () => Promise<unknown>): Promise<Times> {
  const start = processorTime();
  let [longest, last, goesOn] = [0, start, true];
  const turn = () => {
    const now = processorTime();
    longest = Math.max(longest, now - last);
    last = now;
    if (goesOn) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  goesOn = false;
  return { load: last - start, longest };
}

/** Milliseconds that this process has computed. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

test.run();
