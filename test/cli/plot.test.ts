import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tensorPanels } from '../../cli/inspect/plot.js';
import { PLOT_HEIGHT, PLOT_WIDTH, svgOf } from '../../cli/svg.js';
import { finish } from '../../src/async/steps.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';
import { noise } from '../helpers/random.js';

const test = suite('command line: pictures and comparisons');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const model = at('model.safetensors');
writeFileSync(
  model,
  modelOf(
    [
      { name: 'a<b>&"c', dtype: 'F32', shape: [50, 60] },
      { name: 'bias', dtype: 'F32', shape: [60] },
    ],
    undefined,
    (_, byteLength) => viewBytes(noise(byteLength / 4)),
  ),
);
const NAME = ['--tensor', 'a<b>&"c'];

/** Well-formed, and nothing of the file acts in it. */
function assertSafe(svg: string): void {
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*>\n.*<\/svg>\n$/s);
  const open = [...svg.matchAll(/<(\w+)(?=[\s>])(?:[^<>]*[^/<>])?>/g)].length;
  assert.is(open, [...svg.matchAll(/<\/\w+>/g)].length);
  assert.not.match(svg, /NaN|Infinity|undefined|<script|href|a<b/);
}

test('inspect and quality draw, each file kind', async () => {
  ok(await runCli(['encode', model, '-o', at('m.holo.safetensors')]));
  ok(await runCli(['encode', model, ...NAME, '-o', at('a.holo')]));
  ok(await runCli(['encode', model, ...NAME, '-o', at('a.hct')]));
  for (const [i, args] of [
    ['inspect', model, ...NAME],
    ['inspect', at('m.holo.safetensors')],
    ['inspect', at('a.holo')],
    ['inspect', at('a.hct')],
    ['quality', at('m.holo.safetensors')],
    ['quality', at('a.holo')],
  ].entries()) {
    ok(await runCli([...args, '--plot', at(`${i}.svg`)]));
    const svg = readFileSync(at(`${i}.svg`), 'utf8');
    assertSafe(svg);
    assert.is(svg.includes('Spectrum'), args[0] === 'inspect');
    // The curve of what comes in fragments.
    assert.is(/\.holo/.test(args[1]!), svg.includes('cosine similarity'), args[1]);
  }
  assert.match(readFileSync(at('0.svg'), 'utf8'), /a&#60;b&#62;&#38;&#34;c \[50, 60\]/);
  failed(await runCli(['inspect', at('a.hct'), '--plot', at('0.svg')]), 2, /--force/);
  failed(await runCli(['inspect', model, '--plot', at('x.svg')]), 2, /holds 2 tensors/);
  failed(await runCli(['inspect', model, ...NAME]), 2, /--tensor is for --plot/);
});

test('tensors of any shape are drawn, empty and odd values, too', () => {
  for (const shape of [[], [0], [3], [0, 4], [4, 0], [1, 1], [200, 300], [2, 3, 4]]) {
    const size = shape.reduce((product, length) => product * length, 1);
    for (const fill of [0, 1, Number.NaN]) {
      assertSafe(
        svgOf(finish(tensorPanels({ name: 'x', shape, values: new Float32Array(size).fill(fill) }))),
      );
    }
  }
});

test('the energy of the largest values is that of sorted ones', () => {
  const values = noise(5000).map((value, i) => (i % 100 === 0 ? 20 * value : value));
  values[7] = Number.NaN;
  const panels = finish(tensorPanels({ name: 'x', shape: [50, 100], values }));
  const { content } = panels.find(({ title }) => title.startsWith('Energy'))!;
  const points = Array.from(content.matchAll(/(-?[\d.]+),(-?[\d.]+)/g), ([, x, y]) => [
    Number(x) / PLOT_WIDTH,
    1 - Number(y) / PLOT_HEIGHT,
  ]);
  const sorted = values
    .map((value) => (Number.isNaN(value) ? 0 : value ** 2))
    .sort()
    .reverse();
  const total = sorted.reduce((sum, energy) => sum + energy, 0);
  assert.ok(points.length > 50, `${points.length} points`);
  for (const [x, y] of points) {
    const energy = sorted.subarray(0, Math.round(x! * values.length)).reduce((sum, one) => sum + one, 0);
    assert.ok(Math.abs(y! - energy / total) < 0.01, `${x}: ${y}, not ${energy / total}`);
  }
  assert.equal(points.at(-1), [1, 1]);
});

test('a large tensor is drawn in short steps, so that Ctrl-C is heard', () => {
  const shape = [1024, 1024];
  const steps = tensorPanels({ name: 'x', shape, values: new Float32Array(2 ** 20) });
  let count = 0;
  while (!steps.next().done) count += 1;
  // At most 2^16 values in a step, in each of two passes.
  assert.ok(count >= 32, `${count} steps`);
});

test('bench compares encodings on the model, and names one', async () => {
  const result = JSON.parse(ok(await runCli(['bench', model, '--json'])).toString());
  assert.is(result.originalSize, readFileSync(model).length);
  const of = (name: string) => result.results.find(({ encoding }: { encoding: string }) => encoding === name);
  assert.is(result.results.length, 6);
  assert.is(of('embedded').quality, 1);
  assert.ok(of('embedded').bytesTo[0.99] < of('embedded').bytesTo[0.999]);
  assert.ok(of('embedded').bytesTo[0.99] < of('zstd').bytesTo[0.99]);
  const text = ok(await runCli(['bench', model, '--encoding', 'embedded', 'lz4'])).toString();
  assert.match(text, /\nembedded .*exact\nlz4 .*exact\n\nFewest bytes to 0\.99 .*: embedded\n$/);
  writeFileSync(
    at('nan.safetensors'),
    modelOf([{ name: 'w', dtype: 'F32', shape: [40, 40] }], undefined, () => new Uint8Array(6400).fill(255)),
  );
  const odd = ok(await runCli(['bench', at('nan.safetensors'), '--encoding', 'spectral', 'zstd'])).toString();
  assert.match(odd, /\nspectral +cannot: .*finite.*\nzstd .*exact\n/);
  failed(await runCli(['bench', model, '--encoding', 'gzip']), 2, /Allowed choices/);
});

test('several files, each by itself', async () => {
  const files = [at('a.hct'), at('a.holo')];
  const text = ok(await runCli(['verify', ...files])).toString();
  assert.match(text, /a\.hct:\nok: .*\n\n.*a\.holo:\nok: .*\n$/);
  const verified = JSON.parse(ok(await runCli(['verify', ...files, '--json'])).toString());
  assert.equal(
    verified.map(({ input, ok: isOk }: { input: string; ok: boolean }) => [input, isOk]),
    files.map((name) => [name, true]),
  );
  const shown = JSON.parse(ok(await runCli(['inspect', ...files, '--json'])).toString());
  assert.equal(
    shown.map(({ format }: { format: string }) => format),
    ['hct', 'holotensor'],
  );
});

test.run();
