import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../../examples/demo/server.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { fromFloat32 } from '../../../src/tensor/numbers.js';
import { viewBytes, viewElements } from '../../../src/tensor/tensor.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { npyOf } from '../../helpers/npyFiles.js';
import { perceptron } from '../../helpers/onnxWriter.js';
import { outcomeOf } from '../helpers/page.js';
import { run } from '../helpers/process.js';
import { Project } from '../helpers/project.js';

const test = suite('weights for ONNX Runtime while they load');
const root = fileURLToPath(new URL('../../..', import.meta.url));
const original = readFileSync(`${root}/examples/digits/digits.safetensors`);
let project: Project;

interface Step {
  readonly quality: number;
  /** Part of the images that are named right. */
  readonly right: number;
}

test.before(async () => {
  project = await Project.create('onnxruntime');
  cpSync(`${root}/examples/onnxruntime`, project.folder, { recursive: true });
  await run(process.execPath, ['--import', 'tsx', 'examples/onnxruntime/make.ts', project.folder], root);
});
test.after(() => project.remove());

/** Better and better, and at the end as right as the original. A runtime that is slow may find all weights at its first step. */
function assertImproves(steps: readonly Step[] | undefined): void {
  assert.ok(steps !== undefined && steps.length > 0, `${steps?.length} steps`);
  for (const [i, { quality }] of steps.entries()) assert.ok(quality > (steps[i - 1]?.quality ?? 0));
  assert.is(steps.at(-1)!.quality, 1);
  assert.ok(steps.at(-1)!.right > 0.98, `${steps.at(-1)!.right} are right`);
}

/** The same network in 16 bits: its model files, and graphs that have the weights as inputs, and as external data. */
async function writeSmall(): Promise<void> {
  const { tensors } = parseSafetensorsHeader(original);
  for (const [name, dtype, location] of [
    ['half', 'F16'],
    ['bfloat', 'BF16', 'model.safetensors'],
  ] as const) {
    const converted = modelOf(
      tensors.map((tensor) => ({ ...tensor, dtype })),
      undefined,
      (_, __, i) => {
        const { offset, byteLength } = tensors[i]!;
        const numbers = viewElements('F32', original.subarray(offset, offset + byteLength)) as Float32Array;
        return viewBytes(fromFloat32(dtype, numbers));
      },
    );
    const { tensors: small } = parseSafetensorsHeader(converted);
    writeFileSync(project.path(`${name}.holo.safetensors`), await modelFileOf(converted));
    writeFileSync(project.path(`${name}.onnx`), perceptron(small, location));
  }
}

test('the example, in Node', async () => {
  const { feeds, sessions } = JSON.parse(await project.run('node', 'node.js')) as Record<string, Step[]>;
  assertImproves(feeds);
  assertImproves(sessions);
});

test('the example, in Chromium: on wasm and on WebGPU', async () => {
  await project.run('node', 'build.js');
  await using server = await serveFolder(project.folder, 65536);
  const outcome = (await outcomeOf(server.url, { webgpu: true })) as Record<string, Step[]>;
  assert.equal(Object.keys(outcome), ['feeds', 'sessions', 'gpu']);
  for (const steps of Object.values(outcome)) assertImproves(steps);
});

/** What the page of 16 bits says. Without the feature `shader-f16`, WebGPU takes F16, but has no operators for it. */
interface SmallOutcome {
  readonly half: Step[];
  readonly bfloat: Step[];
  readonly bfloatRefusal: string;
  readonly onGpu: {
    readonly sameBits: boolean[];
    readonly bfloat: Step[];
    readonly half?: Step[];
    readonly halfRefusal?: string;
  };
}

test('in Chromium: F16 as it is, BF16 as F32, on wasm and in buffers of WebGPU', async () => {
  await writeSmall();
  await project.run('node', 'build.js');
  await project.run('esbuild', 'half.js', '--bundle', '--format=esm', '--outfile=half.bundle.js');
  await using server = await serveFolder(project.folder, 65536);
  const refusal = /requires f16 but the device does not support it/;
  const outcome = (await outcomeOf(`${server.url}half.html`, { webgpu: true }, refusal)) as SmallOutcome;
  assertImproves(outcome.half);
  assertImproves(outcome.bfloat);
  assert.match(outcome.bfloatRefusal, /Could not find an implementation for Cast/);
  const { sameBits, bfloat, half, halfRefusal } = outcome.onGpu;
  assert.equal(sameBits, [true, true, true, true]);
  assertImproves(bfloat);
  if (half !== undefined) assertImproves(half);
  else assert.match(halfRefusal!, refusal);
});

test('in Node: F16 as inputs, BF16 as external data, each as it is; initializers are refused, which the runtime ignores', async () => {
  await writeSmall();
  writeFileSync(project.path('digits.safetensors'), original);
  const { half, bfloat, refusal, ignored } = JSON.parse(await project.run('node', 'check.js'));
  assertImproves(half);
  assertImproves(bfloat);
  assert.match(refusal, /^ArgumentError: .*got \[fc1\.weight, fc1\.bias, fc2\.weight, fc2\.bias\]/);
  assert.ok(ignored);
});

test('the command calibrate: what the library measures with the same runs, which encode takes; by onnxruntime-web, too', async () => {
  writeFileSync(project.path('digits.safetensors'), original);
  const images = readFileSync(project.path('images.bin')).subarray(0, 4 * 784 * 32);
  writeFileSync(project.path('images.npy'), npyOf('f4', [32, 784], images));
  const run = (...args: string[]) =>
    project.run('holostream', 'calibrate', 'external.onnx', '--samples', 'images.npy', ...args);
  const said = await run('-o', 'importance.json');
  assert.match(said, /^importance\.json: 2 tensors, 1 sample, \d+\.\d s\n$/);
  const importance = JSON.parse(readFileSync(project.path('importance.json'), 'utf8'));
  assert.equal(Object.keys(importance), ['fc1.weight', 'fc2.weight']);
  assert.equal(importance, JSON.parse(await project.run('node', 'calibrate.js')));
  await project.run(
    'holostream',
    ...['encode', 'external.onnx', '-o', 'measured/', '--importance', 'importance.json'],
  );

  const [here, away] = ['node_modules/onnxruntime-node', 'node_modules/.onnxruntime-node'] as const;
  renameSync(project.path(here), project.path(away));
  try {
    for (const [name, factor] of Object.entries<number>(JSON.parse(await run()))) {
      assert.ok(Math.abs(factor / importance[name] - 1) < 0.01, `${name}: ${factor}`);
    }
  } finally {
    renameSync(project.path(away), project.path(here));
  }
});

test('the types are those of the packages', async () => {
  await project.checkTypes('types.js');
});

test.run();
