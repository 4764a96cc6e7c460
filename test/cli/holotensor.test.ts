import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { similarity } from '../../src/tensor/similarity.js';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { manifest, readReference, readReferenceF32, referencePath } from '../helpers/fixtures.js';
import { modelOf } from '../helpers/models.js';
import { trainedLike } from '../helpers/trained.js';

interface HoloFixture {
  readonly file: string;
  readonly source: string;
  readonly encoding: string;
  readonly shape: number[];
  readonly totalFragments: number;
  readonly decodes: { readonly fragments: number[]; readonly expected: string }[];
}

const test = suite('command line: HoloTensor');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

const shape = [128, 129, 3];
const data = trainedLike(shape);
const weights = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
writeFileSync(at('w.raw'), weights);
const RAW = [at('w.raw'), '--dtype', 'F32', '--shape', shape.join(',')];

async function inspected(name: string) {
  return JSON.parse(ok(await runCli(['inspect', at(name), '--json'])).toString());
}

async function decoded(name: string, ...choice: string[]): Promise<Float32Array> {
  const bytes = ok(await runCli(['decode', at(name), '-o', '-', ...choice]));
  return new Float32Array(new Uint8Array(bytes).buffer);
}

test('without options: embedded, exact, better with each fragment', async () => {
  ok(await runCli(['encode', ...RAW, '-o', at('w.holo')]));
  const { format, encoding, dtype, fragments } = await inspected('w.holo');
  assert.equal([format, encoding, dtype], ['holotensor', 'embedded', 'F32']);
  ok(await runCli(['decode', at('w.holo'), '-o', at('back.raw')]));
  assert.equal(readFileSync(at('back.raw')), Buffer.from(weights));
  const two = similarity(data, await decoded('w.holo', '--fragments', '0,1'));
  const four = similarity(data, await decoded('w.holo', '--fragments', '3,2,1,0'));
  const { prefixes } = JSON.parse(ok(await runCli(['quality', at('w.holo'), '--json'])).toString());
  const claimed = prefixes.map(({ cosine }: { cosine: number }) => cosine);
  assert.ok(Math.abs(two.cosine - claimed[1]) < 1e-4, `${two.cosine} for ${claimed[1]}`);
  assert.ok(Math.abs(four.cosine - claimed[3]) < 1e-4, `${four.cosine} for ${claimed[3]}`);
  assert.ok(claimed[1] < claimed[3] && claimed[3] < 1);
  const good = similarity(data, await decoded('w.holo', '--quality', '0.9'));
  const enough = claimed.find((cosine: number) => cosine >= 0.9);
  assert.ok(Math.abs(good.cosine - enough) < 1e-4 && enough < 1, `${good.cosine} for ${enough}`);
  assert.match(ok(await runCli(['inspect', at('w.holo')])).toString(), /^fragment +at byte +stored/m);
  writeFileSync(at('cut.holo'), readFileSync(at('w.holo')).subarray(0, 5000));
  assert.match(
    ok(await runCli(['inspect', at('cut.holo')])).toString(),
    /^file +cut off: .* \(5000 of \d+ bytes\), with \d+ of \d+ fragments$/m,
  );
  assert.is(
    ok(await runCli(['verify', at('w.holo')])).toString(),
    `ok: ${fragments.length} fragments decoded, ${fragments.length} checksums verified\n`,
  );
  const piped = ok(await runCli(['decode', '-', '-o', '-'], { input: readFileSync(at('w.holo')) }));
  assert.equal(piped, Buffer.from(weights));
});

test('every encoding and its options', async () => {
  const cases: [string, string[], number][] = [
    ['spectral', ['--fragments', '3', '--layout', 'ranked'], 3],
    ['random-projection', ['--fragments', '4', '--seed', '0x9e3779b97f4a7c15'], 4],
    ['low-rank', ['--fragments', '5', '--rank', '16', '--layout', 'interleaved', '--residual'], 5],
    ['embedded', ['--qualities', '0.5,0.9,exact', '--algorithm', 'zstd', '--level', '1'], 3],
  ];
  await Promise.all(
    cases.map(async ([encoding, options, fragments]) => {
      const name = `${encoding}.holo`;
      ok(await runCli(['encode', ...RAW, '-o', at(name), '--encoding', encoding, ...options]));
      const shown = await inspected(name);
      assert.is(shown.encoding, encoding);
      assert.equal(shown.shape, shape);
      assert.is(shown.fragments.length, fragments);
      const { relativeError } = similarity(data, await decoded(name));
      assert.ok(relativeError < 1e-6, `${encoding}: ${relativeError}`);
    }),
  );
  assert.is((await inspected('random-projection.holo')).seed, String(0x9e3779b97f4a7c15n));
});

test('the reference files, whole and in part', async () => {
  const files = manifest<HoloFixture[]>('holo');
  for (const { file, decodes, totalFragments } of [files[0]!, files.at(-1)!]) {
    const path = referencePath(file);
    for (const { fragments, expected } of decodes.slice(0, 2)) {
      const bytes = ok(await runCli(['decode', path, '-o', '-', '--fragments', fragments.join(',')]));
      const values = new Float32Array(new Uint8Array(bytes).buffer);
      const wanted = readReferenceF32(expected);
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      assert.is(values.length, wanted.length);
      assert.ok(values.every((value, i) => Math.abs(value - wanted[i]!) <= 1e-5 * largest));
    }
    const shown = JSON.parse(ok(await runCli(['inspect', path, '--json'])).toString());
    assert.is(shown.fragments.length, Math.max(totalFragments, 1));
  }
});

test('quality: claimed and measured agree, as table, chart and JSON', async () => {
  ok(await runCli(['encode', ...RAW, '-o', at('s.hct')]));
  ok(await runCli(['encode', ...RAW, '-o', at('s.holo'), '--encoding', 'spectral']));
  const model = at('model.safetensors');
  const tensors = [{ name: 'conv1.weight', dtype: 'F32', shape }] as const;
  writeFileSync(
    model,
    modelOf(tensors, undefined, () => weights),
  );
  for (const against of [[at('w.raw')], [at('s.hct')], [model, '--tensor', 'conv1.weight']]) {
    const args = ['quality', at('s.holo'), '--json', '--against', ...against];
    const { originalSize, prefixes } = JSON.parse(ok(await runCli(args)).toString());
    assert.is(originalSize, weights.length);
    assert.is(prefixes.length, 8);
    assert.is(prefixes[7].bytes, readFileSync(at('s.holo')).length);
    for (const { fragments, fraction, cosine, measured } of prefixes) {
      assert.ok(Math.abs(fraction - fragments / 8) < 1e-3);
      assert.ok(Math.abs(cosine - measured.cosine) < 1e-4);
    }
  }
  const shown = ok(await runCli(['quality', at('s.holo')])).toString();
  assert.match(shown, /^fragments +bytes +of plain +fraction +predicted +cosine +rel\. error$/m);
  assert.match(shown, /^8 .* 1\.0000 +1\.000000 +0\.00e\+0$/m);
  assert.match(shown, /^1\.0 │.*█$/m);
});

test('quality --against a tensor with NaNs and infinities: that of the finite weights', async () => {
  const values = Float32Array.from({ length: 6400 }, (_, i) => Math.sin(i * i));
  for (let i = 0; i < values.length; i += 5) values[i] = i % 2 === 0 ? Number.NaN : Number.NEGATIVE_INFINITY;
  writeFileSync(at('nan.raw'), new Uint8Array(values.buffer));
  ok(await runCli(['encode', at('nan.raw'), '--dtype', 'F32', '--shape', '6400', '-o', at('nan.holo')]));
  const args = ['quality', at('nan.holo'), '--against', at('nan.raw')];
  const { prefixes } = JSON.parse(ok(await runCli([...args, '--json'])).toString());
  assert.ok(prefixes.length > 3);
  for (const { cosine, relativeError, measured } of prefixes) {
    assert.ok(Math.abs(cosine - measured.cosine) < 1e-5);
    assert.ok(Math.abs(relativeError - measured.relativeError) < 1e-4);
  }
  assert.not.match(ok(await runCli(args)).toString(), /NaN|Infinity/);
});

test('bad data: exit code 1', async () => {
  const bytes = readFileSync(at('w.holo'));
  const flipped = Buffer.from(bytes);
  flipped[bytes.length - 50]! ^= 1;
  writeFileSync(at('flipped.holo'), flipped);
  writeFileSync(at('short.holo'), bytes.subarray(0, bytes.length - 1));
  writeFileSync(at('nan.raw'), new Uint8Array(weights.length).fill(255));
  writeFileSync(at('five.raw'), new Uint8Array(20));
  const spectral = ['--encoding', 'spectral', '-o', at('x.holo')];
  const cases: [string[], RegExp][] = [
    [
      ['verify', at('flipped.holo')],
      /Cannot use the HoloTensor fragment: wrong checksum \([^ ]+flipped\.holo, fragment 7/,
    ],
    [['decode', at('flipped.holo'), '-o', at('x.raw')], /checksum/],
    [['verify', at('short.holo')], /ends|shorter|short/],
    [['quality', at('w.raw')], /neither HCT, HoloTensor nor safetensors/],
    [['quality', at('w.holo'), '--against', at('five.raw')], /size of F32/],
  ];
  const results = await Promise.all(cases.map(([args]) => runCli(args)));
  for (const [i, result] of results.entries()) failed(result, 1, cases[i]![1]);
  const nan = [at('nan.raw'), ...RAW.slice(1), ...spectral];
  failed(await runCli(['encode', ...nan]), 1, /not finite|NaN/i);
});

test('what makes no sense: exit code 2', async () => {
  const holo = ['-o', at('x.holo')];
  const cases: [string[], RegExp][] = [
    [['encode', ...RAW, '-o', 'x.hct', '--encoding', 'spectral'], /--encoding does not apply to an HCT file/],
    [
      ['encode', at('w.raw'), '-o', `${folder}/m/`, '--seed', '1'],
      /--seed does not apply to a model directory/,
    ],
    [['encode', ...RAW, ...holo, '--block-size', '9'], /--block-size does not apply to a HoloTensor file/],
    [['encode', ...RAW, ...holo, '--no-block-checksums'], /--no-block-checksums does not apply/],
    [['encode', ...RAW, ...holo, '--rank', '3'], /--rank does not apply to --encoding embedded/],
    [
      ['encode', ...RAW, ...holo, '--encoding', 'spectral', '--layout', 'sequential'],
      /--layout for --encoding \S+ must be one of raster/,
    ],
    [['encode', ...RAW, ...holo, '--encoding', 'wavelet'], /Allowed choices are embedded/],
    [['encode', ...RAW, ...holo, '--fragments', '3', '--qualities', '0.5'], /exclude each other/],
    [['encode', ...RAW, ...holo, '--fragments', '70000'], /at most 65535/],
    [['encode', ...RAW, ...holo, '--qualities', '2'], /above 0 and at most 1/],
    [['encode', ...RAW, ...holo, '--qualities', '0.9,0.5,exact'], /must rise/],
    [['encode', ...RAW, ...holo, '--qualities', '0.5,1'], /be below 1/],
    [['encode', ...RAW, ...holo, '--seed', '0x10000000000000000'], /below 2\^64/],
    [
      ['decode', at('w.holo'), '-o', '-', '--fragments', '0,99'],
      /--fragments 99: the file has (\d+) fragments, from 0 to \d+/,
    ],
    [['decode', at('w.holo'), '-o', '-', '--fragments', '0', '--quality', '0.5'], /exclude each other/],
    [
      ['decode', at('s.hct'), '-o', '-', '--quality', '0.5'],
      /are for HoloTensor and model files; this is HCT/,
    ],
    [['quality', at('w.holo'), '--tensor', 'x'], /--tensor is for --against/],
    [['quality', at('s.hct')], /holds no fragments/],
  ];
  const results = await Promise.all(cases.map(([args]) => runCli(args)));
  for (const [i, result] of results.entries()) failed(result, 2, cases[i]![1]);
});

test('a sixteen-bit tensor comes back in its own dtype', async () => {
  const halves = readReference('hct/v2-lz4-bf16-2d.raw');
  writeFileSync(at('bf16.raw'), halves);
  ok(await runCli(['encode', at('bf16.raw'), '--dtype', 'BF16', '--shape', '128,72', '-o', at('bf16.holo')]));
  assert.equal(ok(await runCli(['decode', at('bf16.holo'), '-o', '-'])), Buffer.from(halves));
});

test.run();
