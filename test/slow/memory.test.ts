import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileSink } from '../../sinks/file.js';
import { SafetensorsWriter } from '../../sinks/safetensors.js';
import { float32ToBfloat16 } from '../../src/tensor/float.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { trainedLike } from '../helpers/trained.js';

const test = suite('memory');
/** What a program prints that is given a folder and a size in bytes. */
async function run(program: string, size: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  try {
    // Bundled, because a TypeScript loader would be most of the memory measured.
    const outfile = join(folder, 'program.mjs');
    await build({
      entryPoints: [fileURLToPath(new URL(`../helpers/${program}`, import.meta.url))],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      outfile,
    });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile, folder, String(size)]);
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a tensor of 2 GiB goes file to file, there and back, in less than 200 MB', async () => {
  const peak = Number(await run('largeTensor.ts', 2 ** 31));
  assert.ok(peak > 0 && peak < 200e6, `peak memory ${peak} bytes`);
});

test('an ONNX file of 1 GiB becomes a model file, and that its weights, in less than 300 MB', async () => {
  const { peak, same, tensors } = JSON.parse(await run('largeOnnx.ts', 2 ** 30));
  assert.is(tensors, 64);
  assert.ok(same);
  assert.ok(peak > 0 && peak < 300e6, `peak memory ${peak} bytes`);
});

/** What the command takes without a model. */
const BASE = 180e6;
/** Of the largest tensor. */
const TENSOR_BYTES = 2 ** 26;
const COLUMNS = 8192;

/** Rows of the tensors of a model, 8,192 columns each: of equal ones with small ones between them, and of many sizes. */
const MODELS = {
  equal: Array.from({ length: 4 }, () => [4096, 8]).flat(),
  mixed: Array.from({ length: 2 }, () => [4096, 4096, 2048, 512, 2816, 128, 3072, 32]).flat(),
};

for (const [sizes, workers] of [
  ['equal', 0],
  ['equal', 2],
  ['mixed', 2],
] as const) {
  test(`a model of ${sizes} tensors is encoded and decoded in memory for three of them, with ${workers} workers`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holostream-'));
    try {
      await writeModel(join(folder, 'model.safetensors'), MODELS[sizes]);
      for (const args of [
        ['encode', 'model.safetensors', '-o', 'model.holo.safetensors'],
        ['decode', 'model.holo.safetensors', '-o', 'again.safetensors'],
      ]) {
        const peak = await peakOf([...args, '--workers', String(workers)], folder);
        const most = BASE + 3 * TENSOR_BYTES + workers * 100e6;
        assert.ok(peak > TENSOR_BYTES && peak < most, `${args[0]}: ${peak} bytes, expected at most ${most}`);
      }
      const files = ['model.safetensors', 'again.safetensors'].map((name) => readFile(join(folder, name)));
      const [before, after] = await Promise.all(files);
      assert.ok(before!.equals(after!));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

async function peakOf(args: readonly string[], cwd: string): Promise<number> {
  const peak = new URL('../helpers/modelMemory.mjs', import.meta.url);
  const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  const { stderr } = await promisify(execFile)(process.execPath, ['--import', peak.href, command, ...args], {
    cwd,
  });
  return Number(/^peak (\d+)$/m.exec(stderr)?.[1]);
}

/** Tensors of weights in bfloat16. */
async function writeModel(path: string, rows: readonly number[]): Promise<void> {
  const weights = viewBytes(float32ToBfloat16(trainedLike([1024, COLUMNS])));
  const sink = await fileSink(path);
  const tensors = rows.map((count, i) => ({
    name: `w${i}`,
    dtype: 'BF16' as const,
    shape: [count, COLUMNS],
  }));
  const writer = await SafetensorsWriter.open(sink, tensors);
  for (const { name, shape } of tensors) {
    const data = new Uint8Array(2 * shape[0]! * shape[1]!);
    for (let at = 0; at < data.length; at += weights.length) {
      data.set(weights.subarray(0, data.length - at), at);
    }
    await writer.write(name, data);
  }
  await writer.close();
}

test.run();
