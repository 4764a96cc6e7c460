import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CliResult, cliPath, failed, ok, resultOf, runCli, temporaryFolder } from '../helpers/cli.js';
import { type FileServer, fileServer } from '../helpers/fileServer.js';
import { smallGguf } from '../helpers/ggufFiles.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';

const test = suite('command line: models on a hub');

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

const shards = {
  'model-00001-of-00002.safetensors': modelOf([{ name: 'a', dtype: 'F32', shape: [40, 50] }]),
  'model-00002-of-00002.safetensors': modelOf([{ name: 'b', dtype: 'BF16', shape: [40, 50] }]),
};
const [first, second] = Object.keys(shards);
const index = new TextEncoder().encode(JSON.stringify({ weight_map: { a: first, b: second } }));

const raw = new Uint8Array(Float32Array.from({ length: 600 }, (_, i) => Math.sin(i)).buffer);

/** A stand-in of the hub: small files are its own, large ones are on a server of another origin. */
interface Hub extends AsyncDisposable {
  readonly url: string;
  /** Authorizations by the name of the server. */
  readonly tokens: { readonly hub: Set<string | undefined>; readonly storage: Set<string | undefined> };
  readonly storage: FileServer;
}

async function hub(): Promise<Hub> {
  const storage = await fileServer({ ...shards, 'model.gguf': smallGguf(), 'raw.bin': raw });
  const front = await fileServer({
    'org/sharded/resolve/main/model.safetensors.index.json': index,
    'org/one/resolve/v1.0/model.safetensors': shards['model-00001-of-00002.safetensors'],
    'org/one/resolve/refs/pr/1/model.safetensors': shards['model-00002-of-00002.safetensors'],
  });
  const tokens = { hub: new Set<string | undefined>(), storage: new Set<string | undefined>() };
  const note = (set: Set<string | undefined>, { headers }: IncomingMessage) => set.add(headers.authorization);
  front.before = async (request, response) => {
    note(tokens.hub, request);
    const name = /\/resolve\/main\/(?:files\/)?([^/]+)$/.exec(request.url!)?.[1];
    if (name === undefined || !storage.files.has(name)) return undefined;
    // Another name of this machine is another origin, as is another port.
    response.writeHead(302, { location: `${storage.url}${name}` }).end();
    return true;
  };
  storage.before = async (request) => {
    note(tokens.storage, request);
    return undefined;
  };
  return {
    url: front.url,
    tokens,
    storage,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}

function run(args: readonly string[], { url }: Pick<Hub, 'url'>, token?: string): Promise<CliResult> {
  const env = { ...process.env, FORCE_COLOR: '0', HF_ENDPOINT: url, HF_TOKEN: token ?? '' };
  const child = spawn(process.execPath, [cliPath(), ...args], { cwd: folder, env });
  child.stdin.end();
  return resultOf(child);
}

test('a sharded model is encoded as its files are; the token goes to the hub, and to no other server', async () => {
  await using server = await hub();
  ok(await run(['encode', 'hf:org/sharded', '-o', 'sharded.holo.safetensors'], server, 'hf_secret'));
  assert.equal([...server.tokens.hub], ['Bearer hf_secret']);
  assert.equal([...server.tokens.storage], [undefined]);
  ok(await runCli(['decode', 'sharded.holo.safetensors', '-o', 'sharded/'], { cwd: folder }));
  for (const [name, bytes] of Object.entries(shards)) {
    assert.equal(new Uint8Array(readFileSync(at(`sharded/${name}`))), new Uint8Array(bytes));
  }
  assert.equal(new Uint8Array(readFileSync(at('sharded/model.safetensors.index.json'))), index);
});

test('a revision, one with slashes, and a file in a folder of it', async () => {
  await using server = await hub();
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
  await using server = await hub();
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
  await using server = await hub();
  const options = ['--dtype', 'F32', '--shape', '20,30', '-o', 'raw.holo'];
  ok(await run(['encode', 'hf:org/files/files/raw.bin', ...options], server));
  writeFileSync(at('raw.bin'), raw);
  ok(await runCli(['encode', 'raw.bin', ...options.slice(0, -1), 'local.holo'], { cwd: folder }));
  assert.equal(readFileSync(at('raw.holo')), readFileSync(at('local.holo')));
});

test('a server that is not the hub gets no token', async () => {
  await using server = await hub();
  await using other = await fileServer({});
  const url = `${server.storage.url}model.gguf`;
  ok(await run(['encode', url, '-o', 'other.holo.safetensors'], other, 'hf_secret'));
  assert.equal([...server.tokens.storage], [undefined]);
});

test('what is no model on a hub is refused', async () => {
  await using server = await hub();
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
