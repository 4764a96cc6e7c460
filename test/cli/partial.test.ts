import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { viewElements } from '../../src/tensor/tensor.js';
import { inspected } from '../helpers/checks/commands.js';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { strictSafetensors } from '../helpers/strictSafetensors.js';
import { TRAINED_FILES } from '../helpers/trained.js';
import { wholeQuality } from '../helpers/wholeQuality.js';

const test = suite('command line: parts of files of fragments');
const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const original = TRAINED_FILES.layers;
const whole = at('m.holo.safetensors');
let bytes: Buffer;

test.before(async () => {
  writeFileSync(at('m.safetensors'), original);
  ok(await runCli(['encode', at('m.safetensors'), '-o', whole]));
  bytes = readFileSync(whole);
});

const out = at('out.safetensors');

/** The header of a decoded file is that of the original; its quality. */
function qualityOf(file: Uint8Array): Promise<number> {
  strictSafetensors(file);
  const { byteLength } = parseSafetensorsHeader(original);
  assert.ok(Buffer.from(file.subarray(0, byteLength)).equals(original.subarray(0, byteLength)));
  return wholeQuality(file, original, bytes);
}

async function decoded(...args: string[]): Promise<Buffer> {
  ok(await runCli(['decode', ...args, '-o', out]));
  return readFileSync(out);
}

test('decode to a quality, from n bytes, with n fragments: a plain file with the header of the original', async () => {
  const quality = await qualityOf(await decoded(whole, '--quality', '0.97'));
  assert.ok(quality > 0.969 && quality < 0.995, `${quality}`);
  const some = await qualityOf(await decoded(whole, '--bytes', String(Math.floor(bytes.length * 0.6))));
  assert.ok(some > 0.98 && some < 1, `${some}`);
  const first = await qualityOf(await decoded(whole, '--fragments', '1'));
  assert.ok(first > 0.3 && first < quality, `${first}`);
  assert.ok((await decoded(whole)).equals(original));
});

test('decode chosen tensors: a file of these', async () => {
  const file = await decoded(whole, '--tensor', 'lstm.0.weight', 'norm.weight');
  const names = strictSafetensors(file).tensors.map(({ name }) => name);
  assert.equal(names.sort(), ['lstm.0.weight', 'norm.weight']);
  const find = (from: Uint8Array, name: string) => {
    const { dtype, offset, byteLength } = parseSafetensorsHeader(from).tensors.find(
      (one) => one.name === name,
    )!;
    return viewElements(dtype, from.slice(offset, offset + byteLength));
  };
  for (const name of names) assert.equal(find(file, name), find(original, name));
  failed(await runCli(['decode', whole, '--tensor', 'x', '-o', out]), 2, /No tensor has the name/);
});

test('a file that is cut off: inspect, quality and decode say how far it goes; verify refuses it', async () => {
  const cut = at('cut.holo.safetensors');
  const end = Math.floor(bytes.length * 0.3);
  writeFileSync(cut, bytes.subarray(0, end));
  const line = new RegExp(
    `cut off: 30\\.0 % of it is here \\(${end} of ${bytes.length} bytes\\), quality 0\\.\\d{6}`,
  );
  assert.match(ok(await runCli(['inspect', cut])).toString(), line);
  assert.match(ok(await runCli(['quality', cut])).toString(), line);
  const { available, fileSize } = await inspected(cut);
  assert.equal([available, fileSize], [end, bytes.length]);
  const { code, stderr } = await runCli(['decode', cut, '-o', out]);
  assert.is(code, 0, stderr);
  assert.match(stderr, line);
  const said = Number(/quality (0\.\d+)/.exec(stderr)![1]);
  assert.ok(Math.abs((await qualityOf(readFileSync(out))) - said) < 1e-4);
  failed(await runCli(['verify', cut]), 1, /too short/);
  failed(await runCli(['encode', cut, '-o', at('x.holo.safetensors')]), 1, /too short/);
});

test('what has no numbers yet is zero, and said; a header that is cut off is an error', async () => {
  const { tensors } = await inspected(whole);
  const encoded = tensors.filter((tensor: { encoded: boolean }) => tensor.encoded);
  const start = Math.min(
    ...encoded.map(({ fragments }: { fragments: { offset: number }[] }) => fragments[0]!.offset),
  );
  const short = at('short.holo.safetensors');
  writeFileSync(short, bytes.subarray(0, start));
  const { code, stderr } = await runCli(['decode', short, '-o', out]);
  assert.is(code, 0, stderr);
  assert.match(
    stderr,
    new RegExp(`${encoded.length} of ${tensors.length} tensors have no numbers yet: they are zeros`),
  );
  await qualityOf(readFileSync(out));
  writeFileSync(short, bytes.subarray(0, 500));
  const before = readdirSync(folder);
  for (const args of [['inspect'], ['quality'], ['decode', '-o', at('none.safetensors')]])
    failed(await runCli([args[0]!, short, ...args.slice(1)]), 1, /too short/);
  assert.equal(readdirSync(folder), before);
});

test('a model file from a pipe, whole and cut off: what it is as a named file', async () => {
  const cut = bytes.subarray(0, Math.floor(bytes.length * 0.4));
  writeFileSync(at('piped.holo.safetensors'), cut);
  const piped = at('piped.safetensors');
  for (const [input, path, ...choice] of [
    [bytes, whole, '--fragments', '1'],
    [cut, at('piped.holo.safetensors')],
    [cut, at('piped.holo.safetensors'), '--tensor', 'norm.weight'],
  ] as const) {
    const named = await runCli(['decode', path, ...choice, '-o', out]);
    const { code, stderr } = await runCli(['decode', '-', ...choice, '-o', piped], { input });
    assert.equal([code, stderr], [0, named.stderr]);
    assert.is(/cut off/.test(stderr), input === cut);
    assert.ok(readFileSync(piped).equals(readFileSync(out)), choice.join(' '));
  }
  for (const command of ['inspect', 'quality']) {
    const shown = ok(await runCli([command, '-'], { input: cut })).toString();
    assert.is(shown, ok(await runCli([command, at('piped.holo.safetensors')])).toString());
  }
  ok(await runCli(['decode', '-', '-o', `${at('piped')}/`], { input: bytes }));
  assert.ok(readFileSync(at('piped', 'm.safetensors')).equals(original));
  assert.ok(ok(await runCli(['decode', '-', '-o', '-'], { input: bytes })).equals(original));
  assert.match(ok(await runCli(['verify', '-'], { input: bytes })).toString(), /^ok: /);
  failed(await runCli(['verify', '-'], { input: cut }), 1, /too short/);
  ok(await runCli(['inspect', '-', '--plot', at('piped.svg')], { input: bytes }));
  failed(await runCli(['decode', '-', '-o', out], { input: bytes.subarray(0, 500) }), 1, /too short/);
  for (const command of ['inspect', 'quality', 'verify'])
    failed(await runCli([command, '-'], { input: new Uint8Array(9) }), 1, /is neither .* \(standard input\)/);
  failed(
    await runCli(['decode', '-', '-o', out], { input: original }),
    2,
    /standard input" is a safetensors file/,
  );
});

test('shards: a folder of files at a quality', async () => {
  ok(await runCli(['decode', whole, '--quality', '0.97', '-o', `${at('shards')}/`]));
  assert.ok((await qualityOf(readFileSync(at('shards', 'm.safetensors')))) > 0.969);
  failed(await runCli(['decode', whole, '--tensor', 'norm.weight', '-o', `${at('x')}/`]), 2, /one file/);
});

test('HoloTensor files that are cut off', async () => {
  const holo = at('t.holo');
  ok(await runCli(['encode', at('m.safetensors'), '--tensor', 'lstm.0.weight', '-o', holo]));
  const { fragments } = JSON.parse(ok(await runCli(['inspect', holo, '--json'])).toString());
  const end = fragments[3].offset;
  const cut = at('cut.holo');
  writeFileSync(cut, readFileSync(holo).subarray(0, end));
  assert.match(ok(await runCli(['inspect', cut])).toString(), /cut off: .* with 3 of \d+ fragments/);
  const { prefixes } = JSON.parse(ok(await runCli(['quality', cut, '--json'])).toString());
  assert.is(prefixes.length, 3);
  const { code, stdout, stderr } = await runCli(['decode', cut, '-o', at('cut.npy')]);
  assert.is(code, 0, stderr);
  assert.match(stderr, /cut off: .* 3 of \d+ fragments, quality 0\.9/);
  assert.match(String(stdout), / 3 of \d+ fragments, quality 0\.9/);
  ok(await runCli(['decode', holo, '--bytes', String(end), '-o', at('part.npy')]));
  assert.ok(readFileSync(at('part.npy')).equals(readFileSync(at('cut.npy'))));
  failed(await runCli(['verify', cut]), 1, /ends/);
});

test('choices that do not fit: exit code 2', async () => {
  const decode = (...args: string[]) => runCli(['decode', ...args, '-o', at('none.npy')]);
  failed(await decode(whole, '--bytes', '9', '--quality', '0.5'), 2, /exclude each other/);
  failed(
    await decode(whole, '--fragments', '1,2'),
    2,
    /a number, of each tensor the first n, or a range 0-2/,
  );
  failed(await decode(at('t.holo'), '--tensor', 'x'), 2, /one tensor/);
  failed(await decode(at('t.holo'), '--bytes', '200'), 2, /first fragment/);
  ok(await runCli(['encode', at('m.safetensors'), '--tensor', 'norm.weight', '-o', at('t.hct')]));
  failed(await decode(at('t.hct'), '--bytes', '200'), 2, /this is HCT/);
});

test.run();
