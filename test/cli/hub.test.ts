import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CliResult, cliPath, failed, ok, resultOf, runCli, temporaryFolder } from '../helpers/cli.js';
import { fileServer } from '../helpers/fileServer.js';
import { smallGguf } from '../helpers/ggufFiles.js';
import { HUB_INDEX as index, HUB_RAW as raw, HUB_SHARDS as shards, startHub } from '../helpers/hub.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';

const test = suite('command line: models on a hub');

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

interface HubServer {
  readonly url: string;
}

const environment = ({ url }: HubServer, token = '') => ({ HF_ENDPOINT: url, HF_TOKEN: token });

/** In a process of its own. */
function start(args: readonly string[], server: HubServer, token?: string): Promise<CliResult> {
  const env = { ...process.env, FORCE_COLOR: '0', ...environment(server, token) };
  const child = spawn(process.execPath, [cliPath(), ...args], { cwd: folder, env });
  child.stdin.end();
  return resultOf(child);
}

/** In this process, whose environment it changes: a start takes longer than most commands. */
function run(args: readonly string[], server: HubServer, token?: string): Promise<CliResult> {
  Object.assign(process.env, environment(server, token));
  return runCli(args, { cwd: folder, keep: true });
}

test('a sharded model is encoded as its files are; the token goes to the hub, and to no other server', async () => {
  await using server = await startHub();
  ok(await start(['encode', 'hf:org/sharded', '-o', 'sharded.holo.safetensors'], server, 'hf_secret'));
  assert.equal([...server.tokens.hub], ['Bearer hf_secret']);
  assert.equal([...server.tokens.storage], [undefined]);
  ok(await runCli(['decode', 'sharded.holo.safetensors', '-o', 'sharded/'], { cwd: folder }));
  for (const [name, bytes] of Object.entries(shards)) {
    assert.equal(new Uint8Array(readFileSync(at(`sharded/${name}`))), new Uint8Array(bytes));
  }
  assert.equal(new Uint8Array(readFileSync(at('sharded/model.safetensors.index.json'))), index);
});

test('a revision, one with slashes, and a file in a folder of it', async () => {
  await using server = await startHub();
  const cases = [
    [
      'hf:org/one@v1.0',
      'one.holo.safetensors',
      shards['model-00001-of-00002.safetensors'],
      'model.safetensors',
    ],
    [
      'hf:org/one@refs%2Fpr%2F1',
      'pr.holo.safetensors',
      shards['model-00002-of-00002.safetensors'],
      'model.safetensors',
    ],
    ['hf:org/files/files/model.gguf', 'gguf.holo.safetensors', smallGguf(), 'model.gguf'],
  ] as const;
  for (const [name, output, bytes, file] of cases) {
    ok(await run(['encode', name, '-o', output], server));
    ok(await runCli(['decode', output, '-o', `${output}.d/`], { cwd: folder }));
    assert.equal(new Uint8Array(readFileSync(at(`${output}.d/${file}`))), new Uint8Array(bytes), name);
  }
  assert.equal([...server.tokens.hub], [undefined]);
});

test('bulk conversion reads models on a hub, and calls them as the hub does', async () => {
  await using server = await startHub();
  const args = ['bulk', 'run', 'hf:org/sharded@main', '--to', 'bulk', '--workers', '0'];
  ok(await run(args, server, 'hf_secret'));
  assert.equal([...server.tokens.hub], ['Bearer hf_secret']);
  assert.equal([...server.tokens.storage], [undefined]);
  const alone = await encodeToModelFile(shards, { index: new TextDecoder().decode(index) });
  assert.ok(readFileSync(at('bulk/sharded.holo.safetensors')).equals(alone));
  const file = ['bulk', 'run', 'hf:org/one@v1.0/model.safetensors', '--to', 'bulk', '--workers', '0'];
  ok(await run(file, server));
  assert.ok(existsSync(at('bulk/one.holo.safetensors')));
});

test('raw bytes on a hub', async () => {
  await using server = await startHub();
  const options = ['--dtype', 'F32', '--shape', '20,30', '-o', 'raw.holo'];
  ok(await run(['encode', 'hf:org/files/files/raw.bin', ...options], server));
  writeFileSync(at('raw.bin'), raw);
  ok(await runCli(['encode', 'raw.bin', ...options.slice(0, -1), 'local.holo'], { cwd: folder }));
  assert.equal(readFileSync(at('raw.holo')), readFileSync(at('local.holo')));
});

test('a server that is not the hub gets no token', async () => {
  await using server = await startHub();
  await using other = await fileServer({});
  const url = `${server.storage.url}model.gguf`;
  ok(await run(['encode', url, '-o', 'other.holo.safetensors'], other, 'hf_secret'));
  assert.equal([...server.tokens.storage], [undefined]);
});

test('no message has the query of a URL, in which there may be a token', async () => {
  await using server = await startHub();
  const url = `${server.storage.url}none.safetensors?token=hf_secret`;
  const commands = [
    ['inspect', url],
    ['encode', url, '-o', 'none.holo.safetensors'],
  ];
  for (const { code, stderr } of await Promise.all(
    commands.map((args) => run(['--verbose', ...args], server)),
  )) {
    assert.is(code, 1);
    assert.match(stderr, /none\.safetensors\?…/);
    assert.not.match(stderr, 'hf_secret');
  }
});

test('neither have the names above the reports of several files; programs get those that they passed', async () => {
  await using server = await startHub();
  const urls = ['a', 'b'].map(
    (secret) => `${server.storage.url}signed/model.gguf?secret_${secret}&Signature=1`,
  );
  const printed = ok(await run(['inspect', ...urls], server)).toString();
  assert.is(printed.match(/model\.gguf\?…:$/gm)?.length, 2);
  assert.not.match(printed, 'secret');
  const reports: { readonly input: string }[] = JSON.parse(
    ok(await run(['inspect', '--json', ...urls], server)).toString(),
  );
  assert.equal(
    reports.map(({ input }) => input),
    urls,
  );
});

test('what is no model on a hub is refused', async () => {
  await using server = await startHub();
  for (const name of ['hf:', 'hf:model', 'hf:../x', 'hf:org/model/../../x']) {
    failed(
      await run(['encode', name, '-o', 'x.holo.safetensors'], server),
      2,
      /Cannot find the model on a hub.*hf:organisation\/model/,
    );
  }
  failed(await run(['inspect', 'hf:org/none'], server), 1, /404|Cannot find a model/);
});

test.run();
