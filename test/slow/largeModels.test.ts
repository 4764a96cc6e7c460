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
import { generatedModel, llamaShapes } from '../helpers/largeModel.js';

/**
 * A model of some hundred megabytes, in a page and in Node: the event loop goes on while it loads. This is the one place where
 * time is asserted: run it alone.
 */
const test = suite('large models');

const RUNS = 5;
const TYPICAL_MS = 50;
const MOST_MS = 100;

const LOADS = ['{}', '{ quality: 0.99 }', "{ as: 'source' }", '{ workers: 2 }'] as const;

let folder: string;
let path: string;
let size: number;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  path = join(folder, 'model.holo.safetensors');
  const source = generatedModel(llamaShapes(1));
  await encodeModelFile([{ name: 'model.safetensors', source }], await fileSink(path), memoryStagingStore());
  ({ size } = await stat(path));
});

test.after(() => rm(folder, { recursive: true }));

/** Ranges of the file. */
const serve: RequestListener = ({ headers }, response) => {
  const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? [];
  const [start, end] = [Number(from), Math.min(to === '' ? size : Number(to) + 1, size)];
  response.writeHead(206, {
    etag: '"1"',
    'content-length': end - start,
    'content-range': `bytes ${start}-${end - 1}/${size}`,
  });
  createReadStream(path, { start, end: end - 1 }).pipe(response);
};

function check(longest: readonly number[], what: string): void {
  const sorted = longest.toSorted((a, b) => a - b);
  assert.ok(sorted[sorted.length >> 1]! <= TYPICAL_MS, `${what}: ${sorted}`);
  assert.ok(sorted.at(-1)! <= MOST_MS, `${what}: ${sorted}`);
}

const PAGE_SCRIPT = `
  import { openModel } from 'holostream';
  const tasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration);
  }).observe({ entryTypes: ['longtask'] });
  const settled = () => new Promise((resolve) => setTimeout(resolve, 300));
  globalThis.longest = async (options, watch) => {
    await settled();
    tasks.length = 0;
    const model = await openModel('/model.holo.safetensors');
    if (watch === 'updates') model.updates$.subscribe();
    const load = model.load(options);
    if (watch === 'snapshots') for await (const { complete } of model.snapshots()) if (complete) break;
    await load;
    await settled();
    await model.close();
    return Math.max(0, ...tasks);
  };
  globalThis.ready = true;
`;

test('in a page, no task is long, whatever is loaded', async () => {
  const worker = await bundleWorker();
  const browser = await BrowserTest.open(PAGE_SCRIPT, (request, response) => {
    if (request.url !== '/worker.js') return serve(request, response);
    response.setHeader('content-type', 'text/javascript');
    response.end(worker);
  });
  try {
    const ways = [...LOADS.map((load) => [load, '']), ['{}', 'updates'], ['{}', 'snapshots']];
    for (const [options, watch] of ways) {
      const longest: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        longest.push(Number(await browser.tab.evaluate(`longest(${options}, '${watch}')`)));
        await browser.load();
      }
      check(longest, `${options} ${watch}`);
    }
  } finally {
    await browser.close();
  }
});

test('in Node, the event loop goes on', async () => {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.holo.safetensors`;
  try {
    for (const options of [{}, { quality: 0.99 }, { as: 'source' }] as const) {
      const longest: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        await using model = await openModel(url);
        longest.push(await longestTurn(() => model.load(options)));
      }
      check(longest, JSON.stringify(options));
    }
  } finally {
    server.close();
  }
});

/** Milliseconds between two turns of the event loop, at most. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let [longest, last, goesOn] = [0, performance.now(), true];
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (goesOn) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  goesOn = false;
  return longest;
}

test.run();
