import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testSet } from '../../../examples/digits/testSet.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { launchChromium, PATIENCE_MS } from '../../helpers/engine.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { perceptron } from '../../helpers/onnxWriter.js';
import { evaluationData } from '../../helpers/tasks/task.js';
import { missingWeights, readWeightFile } from '../../helpers/weights.js';
import { Project } from '../helpers/project.js';

const test = suite('a page of onnxruntime-web that is not changed, with the Service Worker');

/** What the page has, by name. */
type Files = Map<string, Uint8Array>;

interface Network {
  readonly name: string;
  readonly original: Uint8Array;
  /** Pixels, as the network takes them. */
  readonly images: Float32Array;
  readonly labels: Uint8Array;
  /** At which 96 in 100 must be right, with at most this part of the bytes of the original. */
  readonly quality: number;
  readonly part: number;
}

interface Outcome {
  /** Part of the images that are named right. */
  readonly right: number;
  readonly scores: readonly number[];
}

/** The digits of the examples; handwritten ones (MNIST), where real weights are. */
function networks(): Network[] {
  const samples = testSet();
  const digits: Network = {
    name: 'digits',
    original: readFileSync(
      fileURLToPath(new URL('../../../examples/digits/digits.safetensors', import.meta.url)),
    ),
    images: Float32Array.from(samples.flatMap(({ image }) => [...image])),
    labels: Uint8Array.from(samples, ({ label }) => label),
    quality: 0.97,
    // The first request alone brings 64 KiB of its 597.
    part: 0.2,
  };
  if (missingWeights() !== undefined) return [digits];
  const data = evaluationData('eval-mnist-t10k-1000');
  const mnist: Network = {
    name: 'MNIST',
    original: readWeightFile('mnist-mlp-ggml'),
    images: Float32Array.from(data.get('images')!, (pixel) => pixel / 255),
    labels: Uint8Array.from(data.get('labels')!),
    quality: 0.9,
    part: 0.1,
  };
  return [digits, mnist];
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves the files by their names, and counts. */
async function serve(files: Files) {
  const state = { requests: [] as string[], modelBytes: 0 };
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url!, 'http://localhost').pathname) || 'index.html';
    const bytes = files.get(name);
    const { range = '' } = request.headers;
    state.requests.push(`${name} ${range}`.trim());
    if (bytes === undefined) return void response.writeHead(404).end();
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const start = Number(from ?? 0);
    const end = to ? Math.min(Number(to) + 1, bytes.length) : bytes.length;
    response.writeHead(from === undefined ? 200 : 206, {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'content-length': end - start,
      etag: `"${bytes.length}"`,
      ...(from !== undefined && { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
    });
    if (name.endsWith('.holo.safetensors')) state.modelBytes += end - start;
    response.end(bytes.subarray(start, end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    state,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

let project: Project;
let browser: Browser;

test.before(async () => {
  project = await Project.create('drop-in');
  browser = await launchChromium();
});

test.after(async () => {
  await browser.close();
  project.remove();
});

async function run(page: Page, url: string): Promise<Outcome> {
  await page.goto(url);
  await page.waitForFunction('globalThis.outcome');
  const { value, error } = await page.evaluate<{ value: Outcome; error?: string }>('globalThis.outcome');
  if (error !== undefined) throw new Error(error);
  return value;
}

/** Visits the page that registers the Service Worker. */
async function install(page: Page, url: string, query: string): Promise<void> {
  await page.goto(`${url}install.html${query}`);
  const controlled = `navigator.serviceWorker.controller?.scriptURL.endsWith('/service-worker.js${query}')`;
  await page.waitForFunction(controlled);
}

for (const { name, original, images, labels, quality, part } of networks()) {
  test(`${name}: as right as the original at quality 1; usable with a part of its bytes`, async () => {
    const { tensors } = parseSafetensorsHeader(original);
    const ort = (file: string) => readFileSync(project.path(`node_modules/onnxruntime-web/dist/${file}`));
    const page = (file: string) => readFileSync(project.path(`site/${file}`));
    const files: Files = new Map<string, Uint8Array>([
      ['index.html', page('index.html')],
      ['install.html', page('install.html')],
      ['ort.wasm.min.mjs', ort('ort.wasm.min.mjs')],
      ['ort-wasm-simd-threaded.mjs', ort('ort-wasm-simd-threaded.mjs')],
      ['ort-wasm-simd-threaded.wasm', ort('ort-wasm-simd-threaded.wasm')],
      ['service-worker.js', readFileSync(project.path('node_modules/holostream/dist/service-worker.js'))],
      ['digits.onnx', perceptron(tensors, 'model.safetensors')],
      ['images.bin', viewBytes(images)],
      ['labels.bin', labels],
      ['model.safetensors', original],
    ]);
    const site = await serve(files);
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE_MS);
    try {
      const tab = await context.newPage();
      const plain = await run(tab, site.url);
      files.delete('model.safetensors');
      files.set('model.holo.safetensors', await modelFileOf(original));

      await install(tab, site.url, '');
      site.state.requests = [];
      assert.equal(await run(tab, site.url), plain, 'bit for bit the same weights, the same scores');
      assert.not.ok(site.state.requests.some((one) => one.startsWith('model.safetensors')));

      await install(tab, site.url, `?quality=${quality}`);
      site.state.modelBytes = 0;
      const rough = await run(tab, site.url);
      assert.ok(rough.right >= 0.96, `${rough.right} are right`);
      assert.ok(site.state.modelBytes < part * original.length, `${site.state.modelBytes} bytes`);
    } finally {
      await context.close();
      site.close();
    }
  });
}

test.run();
