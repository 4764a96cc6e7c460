import { cpSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { similarity } from '../../../src/tensor/similarity.js';
import { launchChromium } from '../../helpers/engine.js';
import { type FileServer, fileServer } from '../../helpers/fileServer.js';
import { TINY_VALUES, tinyModel } from '../../helpers/tinyModel.js';
import { outcomeIn } from '../helpers/page.js';
import { run } from '../helpers/process.js';
import { Project } from '../helpers/project.js';

const test = suite('transformers.js with a fetch that answers from a model file');

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Of the words with the numbers 2 to 4. */
const EXPECTED = TINY_VALUES.subarray(2 * 64, 5 * 64);
const MODEL_FILE = 'tiny/onnx/model.holo.safetensors';
let project: Project;
let server: FileServer;

interface Embedding {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

test.before(async () => {
  project = await Project.create('transformers');
  cpSync(`${root}/examples/transformers`, project.folder, { recursive: true });
  await run(process.execPath, ['--import', 'tsx', 'examples/transformers/make.ts', project.folder], root);
  server = await fileServer({});
  for (const name of [...Object.keys(tinyModel()), 'onnx/model.holo.safetensors'])
    server.files.set(`tiny/${name}`, readFileSync(project.path(`tiny/${name}`)));
});
test.after(async () => {
  await server[Symbol.asyncDispose]();
  project.remove();
});

/** Bytes of a file that these requests are for. */
function bytesOf(name: string, requests: readonly string[]): number {
  const { length } = server.files.get(name)!;
  return requests
    .filter((one) => one.startsWith(name))
    .reduce((sum, one) => {
      const [start = 0, end = length - 1] = (one.slice(name.length).match(/\d+/g) ?? []).map(Number);
      return sum + Math.min(end + 1, length) - start;
    }, 0);
}

/** Asserts that the model is exact at quality 1, and close at a lower one for a part of the bytes, in whatever runs it. */
async function assertQualities(embedded: (quality: number) => Promise<Embedding>): Promise<void> {
  server.requests.length = 0;
  const modelBytes = async (quality: number) => {
    const from = server.requests.length;
    return { embedding: await embedded(quality), sent: bytesOf(MODEL_FILE, server.requests.slice(from)) };
  };
  const rough = await modelBytes(0.9);
  assert.ok(similarity(Float32Array.from(rough.embedding.data), EXPECTED).cosine > 0.8);
  // Of what is kept of the rough one, nothing passes for the original.
  const exact = await modelBytes(1);
  assert.equal(exact.embedding.dims, [1, 3, 64]);
  assert.equal(Float32Array.from(exact.embedding.data), EXPECTED);
  assert.not.equal(rough.embedding, exact.embedding);
  assert.ok(rough.sent < exact.sent / 2, `${rough.sent} of ${exact.sent} bytes`);
  assert.not(server.requests.some((one) => one.includes('model.onnx_data')));
}

test('the example, in Node: at quality 1 the original’s numbers; below it, close ones from a part of the bytes', async () => {
  await assertQualities(async (quality) => {
    const output = await project.run('node', 'node.js', server.url, String(quality));
    return JSON.parse(output.slice(output.indexOf('{')));
  });
});

test('the example, in Chromium, with the caches of the browser: the same', async () => {
  await project.run('node', 'build.js');
  for (const name of ['index.html', 'page.bundle.js', 'ort-wasm-simd-threaded.asyncify.wasm'])
    server.files.set(name, readFileSync(project.path(name)));
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.wasm': 'application/wasm',
  };
  server.before = async ({ url = '' }, response) => {
    const { pathname } = new URL(url, server.url);
    response.setHeader('content-type', types[extname(pathname)] ?? 'application/octet-stream');
    return undefined;
  };
  const browser = await launchChromium();
  try {
    const context = await browser.newContext();
    await assertQualities(
      async (quality) => (await outcomeIn(context, `${server.url}index.html#${quality}`)) as Embedding,
    );
  } finally {
    await browser.close();
  }
});

test.run();
