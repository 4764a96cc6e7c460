import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../../examples/demo/server.js';
import { outcomeOf } from '../helpers/page.js';
import { run } from '../helpers/process.js';
import { Project } from '../helpers/project.js';

const test = suite('weights for TensorFlow.js while they load');
const root = fileURLToPath(new URL('../../..', import.meta.url));
let project: Project;

interface Step {
  readonly quality: number;
  /** Part of the images that are named right. */
  readonly right: number;
}

/** Of a network of layers, and of one of layers and a graph from a `model.json`. */
type Networks = Readonly<Record<'layers' | 'layersModel' | 'graphModel', readonly Step[]>>;

test.before(async () => {
  project = await Project.create('tfjs');
  cpSync(`${root}/examples/tfjs`, project.folder, { recursive: true });
  await run(process.execPath, ['--import', 'tsx', 'examples/tfjs/make.ts', project.folder], root);
});
test.after(() => project.remove());

/** Better and better, and at the end as right as the original. A runtime that is slow may find all weights at its first step. */
function assertImproves({ layers, layersModel, graphModel }: Networks): void {
  for (const steps of [layers, layersModel, graphModel]) {
    assert.ok(steps.length > 0, 'no step');
    for (const [i, { quality }] of steps.entries()) assert.ok(quality >= (steps[i - 1]?.quality ?? 0));
    assert.is(steps.at(-1)!.quality, 1);
    assert.ok(steps.at(-1)!.right > 0.96, `${steps.at(-1)!.right} are right`);
  }
}

test('the example, in Node; no tensor is left', async () => {
  const output = await project.run('node', 'node.js');
  const { tensors, ...networks } = JSON.parse(output.slice(output.indexOf('{')));
  assertImproves(networks);
  assert.is(tensors, 0);
});

test('the example, in Chromium, on the processor and on wasm', async () => {
  await project.run('node', 'build.js');
  await using server = await serveFolder(project.folder, 65536);
  const { cpu, wasm } = (await outcomeOf(server.url)) as Record<'cpu' | 'wasm', Networks>;
  assertImproves(cpu);
  assertImproves(wasm);
});

test('weights that TensorFlow.js has saved, plain and quantized: the network gives the same, from a model file of them', async () => {
  await project.run('node', 'save.js');
  for (const folder of ['saved', 'quantized']) {
    await project.run('holostream', 'encode', `${folder}/model.json`, '-o', `${folder}.holo.safetensors`);
    const output = await project.run('node', 'compare.js', folder);
    const { weights, same, outputs } = JSON.parse(output.slice(output.indexOf('{')));
    assert.equal([weights, same, outputs], [6, true, true], folder);
  }
});

test('the types are those of the package', async () => {
  await project.checkTypes('types.js');
});

test.run();
