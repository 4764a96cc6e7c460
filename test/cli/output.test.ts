import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fragmentList } from '../../cli/options.js';
import { checkOutput } from '../../cli/output.js';
import { progressLine } from '../../cli/progress.js';
import { closest, hint } from '../../cli/suggest.js';
import { temporaryPath } from '../../sinks/leftovers.js';
import { cliPath, failed, ok, resultOf, runCli, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';

const test = suite('command line: what is written');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const model = at('model.safetensors');
writeFileSync(
  model,
  modelOf([
    { name: 'fc1.weight', dtype: 'F32', shape: [80, 60] },
    { name: 'fc1.bias', dtype: 'F32', shape: [60] },
  ]),
);
const OUTPUTS = ['w.hct', 'w.holo', 'model/', 'm.holo.safetensors'] as const;
const encode = (output: string, ...more: string[]) => {
  const one = /\.(hct|holo)$/.test(output) ? ['--tensor', 'fc1.weight'] : [];
  return runCli(['encode', model, ...one, '-o', output, ...more], { keep: true });
};

test('one line says what was written; with --json as data; nothing beside bytes', async () => {
  const lines = await Promise.all(OUTPUTS.map(async (name) => ok(await encode(at(name))).toString()));
  const facts = [/1 tensor, 18\.75 KiB in \d/, /1 tensor,.* \d+ fragments,/, /2 tensors/, /2 tensors, /];
  for (const [i, line] of lines.entries()) {
    assert.ok(line.startsWith(`${at(OUTPUTS[i]!)}: `), line);
    assert.match(line, facts[i]!);
    assert.match(line, /ratio \d+\.\d{3}.*, \d+\.\d s, [\d.]+ [KM]?i?B\/s\n$/);
  }
  const json = JSON.parse(ok(await encode(at('j.holo.safetensors'), '--json')).toString());
  assert.equal([json.tensors, json.encoded, json.kept, json.originalSize], [2, 2, 0, 4 * (80 * 60 + 60)]);
  assert.is(json.fileSize, statSync(at('j.holo.safetensors')).size);
  const kept = await encode(at('k.holo.safetensors'), '--keep', 'fc1.bias');
  assert.match(ok(kept).toString(), /2 tensors,.* 1 kept whole,/);
  const decoded = await runCli(['decode', at('j.holo.safetensors'), '-o', at('d.safetensors')]);
  assert.match(ok(decoded).toString(), /d\.safetensors: 2 tensors, [^\n]*, exact, /);
});

test('Zstd is the default, and folders can be read by a web server', async () => {
  const shown = await Promise.all(
    [at('w.hct'), at('model/fc1.weight.hct')].map((name) => runCli(['inspect', name, '--json'])),
  );
  for (const one of shown) assert.is(JSON.parse(ok(one).toString()).algorithm, 'zstd');
  assert.is(statSync(at('model')).mode & 0o777, 0o777 & ~process.umask());
});

test('what exists is replaced only with --force, and folders are not made', async () => {
  for (const name of OUTPUTS) {
    await rejects(checkOutput({ output: at(name) }), /it exists; --force replaces it/);
    await rejects(checkOutput({ output: at(`no/${name}`) }), /its folder does not exist/);
    await checkOutput({ output: at(name), force: true });
  }
  mkdirSync(at('empty'));
  await checkOutput({ output: at('empty/') });
  // A killed run has moved the older model aside; the next one will put it back.
  mkdirSync(temporaryPath(at('aside'), 'old').replace(/-\d+-[0-9a-f]{8}-/, '-999999999-00000001-'));
  await rejects(checkOutput({ output: at('aside/') }), /--force/);
  await rejects(checkOutput({ output: '-', json: true }), /--json is for standard output/);
  writeFileSync(at('kept.npy'), 'kept');
  const decode = ['decode', at('w.hct'), '-o', at('kept.npy')];
  failed(await runCli(decode, { keep: true }), 2, /--force/);
  assert.is(readFileSync(at('kept.npy'), 'utf8'), 'kept');
  ok(await runCli([...decode, '--force'], { keep: true }));
});

async function rejects(promise: Promise<void>, pattern: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  assert.match(error?.message ?? '', pattern);
}

test('--dry-run says what would be written, and writes nothing', async () => {
  const before = readdirSync(folder).sort();
  const [file, tensor, plan] = await Promise.all([
    encode(at('new.holo.safetensors'), '--dry-run', '--fragments', '5'),
    encode(at('new.holo'), '--dry-run'),
    encode(at('new/'), '--dry-run', '--json'),
  ]);
  assert.match(ok(file).toString(), /fc1\.weight .* at most 5 fragments\nfc1\.bias .* two parts\n$/);
  assert.match(ok(tensor).toString(), /fc1\.weight .* embedded, at most 8 fragments\n$/);
  assert.equal(
    JSON.parse(ok(plan).toString()).tensors.map(({ becomes }: { becomes: string }) => becomes),
    ['HCT', 'HCT'],
  );
  failed(
    await encode(at('new.holo.safetensors'), '--dry-run', '--keep', 'x*'),
    2,
    /no tensor has a name like/,
  );
  assert.equal(readdirSync(folder).sort(), before);
});

test('a name with a typing error: the one that was meant', async () => {
  const [tensor, ofModel, file] = await Promise.all([
    runCli(['encode', model, '--tensor', 'fc1.wieght', '-o', at('x.hct')]),
    runCli(['decode', at('m.holo.safetensors'), '--tensor', 'fc2.bias', '-o', at('x.safetensors')]),
    runCli(['inspect', at('modle.safetensors')]),
  ]);
  failed(tensor, 2, /No tensor has the name "fc1\.wieght": did you mean "fc1\.weight"\?/);
  failed(ofModel, 2, /did you mean "fc1\.bias"\?/);
  failed(file, 1, /it does not exist \(.*modle\.safetensors\); did you mean ".*model\.safetensors"\?/);
  assert.is(hint('zzz', ['a', 'b']), 'it has "a", "b"');
  assert.is(hint('zzz', Array(9).fill('a')), 'it has 9 tensors');
  assert.is(closest('decoder.0.W', ['decoder.0.w', 'decoder.1.w']), 'decoder.0.w');
  assert.is(closest('x', ['y']), undefined);
});

test('fragments by ranges, and those that show nothing alone', async () => {
  assert.equal(fragmentList('0-2,5'), [0, 1, 2, 5]);
  for (const wrong of ['3-1', '0-99999999999', '-1', '1-', '']) assert.throws(() => fragmentList(wrong));
  const decode = (file: string, fragments: string) =>
    runCli(['decode', at(file), '--fragments', fragments, '-o', at('part.safetensors')]);
  ok(await decode('m.holo.safetensors', '0-1'));
  failed(
    await decode('w.holo', '1'),
    1,
    /fragment 1 shows nothing; embedded needs those before, such as --fragments 0-1/,
  );
});

test('the line of progress never wraps, and keeps what counts', () => {
  const moment = { label: 'encoding', bytes: 3e8, totalBytes: 1e9, rate: 12_345_678 };
  assert.is(
    progressLine(moment, 80),
    'encoding ========------------------  30 % of 953.67 MiB, 11.77 MiB/s, 0:57 left',
  );
  assert.is(progressLine(moment, 44), 'encoding  30 % 11.77 MiB/s, 0:57 left');
  assert.is(progressLine(moment, 20), 'encoding  30 %');
  assert.is(
    progressLine({ label: 'measuring', bytes: 12, totalBytes: 47, unit: 'tensor', rate: 0.5 }, 60),
    'measuring =====-------------  25 % of 47 tensors, 1:10 left',
  );
  fc.assert(
    fc.property(
      fc.nat(300),
      fc.nat(),
      fc.nat(),
      fc.double({ min: 0, noNaN: true }),
      (columns, bytes, totalBytes, rate) => {
        assert.ok(
          progressLine({ label: 'reading', bytes, totalBytes, rate }, columns).length < Math.max(columns, 1),
        );
      },
    ),
  );
});

test('Ctrl-C ends the encoding of one large tensor, which is in a thread, and leaves nothing', async () => {
  const raw = at('large.raw');
  writeFileSync(raw, new Uint8Array(4 * 1500 * 1500));
  const before = readdirSync(folder).sort();
  const args = [
    'encode',
    raw,
    '--dtype',
    'F32',
    '--shape',
    '1500,1500',
    '--encoding',
    'low-rank',
    '-o',
    at('l.holo'),
  ];
  const child = spawn(process.execPath, ['--import', WHEN_ENCODING, cliPath(), ...args]);
  const { code, stderr } = await resultOf(child);
  assert.is(code, 130);
  assert.is(stderr, 'holostream: interrupted by SIGINT\n');
  assert.equal(readdirSync(folder).sort(), before);
});

/** Signals the process when its thread has been given work. */
const WHEN_ENCODING = `data:text/javascript,${encodeURIComponent(`
  import { Worker, isMainThread } from 'node:worker_threads';
  let sent = false;
  const post = Worker.prototype.postMessage;
  if (isMainThread) Worker.prototype.postMessage = function (...args) {
    post.apply(this, args);
    if (sent) return;
    sent = true;
    setTimeout(() => process.kill(process.pid, 'SIGINT'), 50);
  };
`)}`;

test.run();
