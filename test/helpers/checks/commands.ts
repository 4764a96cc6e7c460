/** Checks of the command line with a model of trained weights. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as assert from 'uvu/assert';
import { ok, runCli } from '../cli.js';
import { strictSafetensors } from '../strictSafetensors.js';

/** What `inspect --json` says. */
export async function inspected(path: string) {
  return JSON.parse(ok(await runCli(['inspect', path, '--json'])).toString());
}

/** Encodes a model into `model.holo.safetensors` in an empty folder, and decodes it in each way. */
export async function checkModelFileCommands(folder: string, input: string, tensor: string): Promise<void> {
  const output = join(folder, 'model.holo.safetensors');
  const back = join(folder, 'back.safetensors');
  ok(await runCli(['encode', input, '-o', output]));
  assert.equal(readdirSync(folder), ['model.holo.safetensors'], 'the staging is gone');
  strictSafetensors(readFileSync(output));
  const [decoded, piped, verified, shown, data] = await Promise.all([
    runCli(['decode', output, '-o', back]),
    runCli(['decode', output, '-o', '-']),
    runCli(['verify', output]),
    runCli(['inspect', output]),
    inspected(output),
  ]);
  ok(decoded!);
  assert.ok(readFileSync(back).equals(readFileSync(input)));
  assert.ok(ok(piped!).equals(readFileSync(input)));
  assert.match(ok(verified!).toString(), /^ok: \d+ tensors decoded, \d+ checksums verified\n$/);
  assert.match(ok(shown!).toString(), /^format +model file of fragments/);
  assert.is(data.format, 'model-file');
  const { fragments } = data.tensors.find(({ name }: { name: string }) => name === tensor);
  const cosines = fragments.map(({ cosine }: { cosine: number }) => cosine);
  assert.equal(cosines, [...cosines].sort(), 'better with each fragment');
  assert.is(cosines.at(-1), 1);
}

/** `quality` of a model file: what a download in order is worth. */
export async function checkModelFileQuality(file: string): Promise<void> {
  const { originalSize, steps } = JSON.parse(ok(await runCli(['quality', file, '--json'])).toString());
  const { tensors } = await inspected(file);
  const size = tensors.reduce((sum: number, { byteLength }: { byteLength: number }) => sum + byteLength, 0);
  assert.is(originalSize, size);
  assert.is(steps.at(-1).bytes, readFileSync(file).length);
  assert.ok(Math.abs(steps.at(-1).quality - 1) < 1e-9);
  const qualities = steps.map(({ quality }: { quality: number }) => quality);
  assert.equal(
    qualities,
    [...qualities].sort((a, b) => a - b),
  );
  const half = steps.find(({ bytes }: { bytes: number }) => bytes > 0.25 * size);
  assert.ok(half.quality > 0.98, `${half.quality}`);
  const shown = ok(await runCli(['quality', file])).toString();
  assert.match(shown, /^bytes +of plain +cosine\n/);
  assert.match(shown, /^1\.0 │.*█$/m);
}

/** A model directory made of a file and of standard input: the same, and the model comes back from it. */
export async function checkModelDirectoryCommands(folder: string, input: string): Promise<void> {
  const at = (...names: string[]) => join(folder, ...names);
  ok(await runCli(['encode', input, '-o', `${at('real')}/`, '--algorithm', 'zstd']));
  ok(
    await runCli(['encode', '-', '-o', `${at('piped')}/`, '--algorithm', 'zstd'], {
      input: readFileSync(input),
    }),
  );
  const own = { from: JSON.stringify(basename(input)), to: '"model.safetensors"' };
  for (const file of readdirSync(at('real'))) {
    const [piped, real] = ['piped', 'real'].map((name) => readFileSync(at(name, file)));
    if (file !== 'manifest.json') assert.equal(piped, real, file);
    // Standard input has no name.
    else assert.is(piped!.toString(), real!.toString().replace(own.from, own.to));
  }
  ok(await runCli(['decode', at('real'), '-o', at('real.safetensors')]));
  assert.equal(readFileSync(at('real.safetensors')), readFileSync(input));
}
