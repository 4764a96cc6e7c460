import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../../examples/demo/server.js';
import { openModel } from '../../../models/openModel.js';
import { httpSource, memoryStore, openCache } from '../../../sources/index.js';
import { SourceError, TruncatedError } from '../../../src/errors.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects } from '../../helpers/assertions.js';
import { BrowserTest } from '../../helpers/browser.js';
import { type CountingProxy, countingProxy } from '../../helpers/countingProxy.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { nginx } from '../../helpers/nginx.js';
import { collect, until } from '../../helpers/streams.js';
import { TRAINED_FILES } from '../../helpers/trained.js';
import { Project } from '../helpers/project.js';

/** Real servers, as they come: what is read, and what it takes, counted on the wire. */

const test = suite('web servers');

const plain = TRAINED_FILES.layers;
const encoded = await modelFileOf(plain);
const SHARDS = 12;
/** Requests at a time of one model. */
const LIMIT = 6;
const FIRST_READ = 65536;
/** Bytes of the head of a response: no tested server sends as many. */
const HEAD = 1024;

const files: Record<string, Uint8Array> = {
  'plain.safetensors': plain,
  'encoded.safetensors': encoded,
  'empty.bin': new Uint8Array(0),
  'one.bin': Uint8Array.of(7),
};
const map: Record<string, string> = {};
for (let i = 0; i < SHARDS; i++) {
  files[`part ${i}.safetensors`] = modelOf([{ name: `t${i}`, dtype: 'F32', shape: [100, 200] }]);
  map[`t${i}`] = `part ${i}.safetensors`;
}
files['parts.index.json'] = new TextEncoder().encode(JSON.stringify({ weight_map: map }));

interface RunningServer extends AsyncDisposable {
  readonly url: string;
}

interface ServerKind {
  readonly start: () => Promise<RunningServer>;
  /** False: it sends whole files. */
  readonly ranges?: boolean;
  /** What it answers for a file that it does not have. */
  readonly missing?: RegExp;
  /** False: nothing in its answers tells versions of a file apart. */
  readonly versions?: boolean;
}

let project: Project;
const run = (command: string, ...args: string[]) => project.serve(command, ...args);
const port = ['--port', '0'];
const host = ['--host', '127.0.0.1'];

const SERVERS: Record<string, ServerKind> = {
  "Node's http": { start: () => serveFolder(project.path('public'), 65536), versions: false },
  nginx: {
    async start() {
      const server = await nginx();
      await writeFiles(server.folder);
      return server;
    },
  },
  sirv: { start: () => run('sirv', 'public', ...port, ...host) },
  'sirv --dev': { start: () => run('sirv', 'public', '--dev', ...port, ...host) },
  // Its pages may have routes of their own, so it sends the page for all that it does not have.
  'vite, development': { start: () => run('vite', ...port, ...host), missing: /this is a web page/ },
  'vite preview': { start: () => run('vite', 'preview', '--outDir', 'public', ...port, ...host) },
  serve: { start: () => run('serve', '--listen', 'tcp://127.0.0.1:0', '--no-clipboard', 'public') },
  'http-server': { start: () => run('http-server', 'public', '-p', '0', '-a', '127.0.0.1') },
  Bun: { start: () => run(project.binary('@oven', 'bin/bun'), 'bun.js'), versions: false },
  Deno: {
    start: () => run(project.binary('@deno', 'deno'), 'run', '--allow-net', '--allow-read=public', 'deno.js'),
    ranges: false,
    versions: false,
  },
};

async function writeFiles(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(`${folder}/${name}`, bytes);
}

test.before(async () => {
  project = await Project.create('servers');
  await writeFiles(project.path('public'));
});
test.after(() => project.remove());

for (const [name, { start, ranges = true, versions = true, missing = /answered 404/ }] of Object.entries(
  SERVERS,
)) {
  test(`${name}: sizes, ranges, ends and errors`, async () => {
    await using server = await start();
    const source = httpSource(`${server.url}plain.safetensors`, { retry: false });
    assert.equal(await source.read(1000, 100), plain.slice(1000, 1100));
    assert.equal(await source.read(plain.length - 10, 10), plain.slice(-10));
    await rejects(source.read(plain.length - 5, 10), TruncatedError);
    assert.ok(Buffer.concat(await collect(source.stream())).equals(plain));
    assert.is(source.size, ranges ? plain.length : undefined);
    assert.is((await source.version?.()) !== undefined, versions);
    const open = (file: string) => httpSource(server.url + file, { retry: false });
    assert.equal(await open('one.bin').read(0, 1), Uint8Array.of(7));
    assert.equal(await collect(open('empty.bin').stream()), []);
    await rejects(open('empty.bin').read(0, 1), TruncatedError);
    await rejects(open('plain.safetensors').read(plain.length + 5, 1), Error, /ends before/);
    await rejects(openModel(`${server.url}none.safetensors`), Error, missing);
    await source.close?.();
  });

  test(`${name}: models; every byte once, few requests, connections kept`, async () => {
    await using server = await start();
    await using proxy = await countingProxy(server.url);
    for (const file of ['plain.safetensors', 'encoded.safetensors']) {
      const before = counted(proxy);
      await using model = await openModel(proxy.url + file);
      assert.is(counted(proxy).requests - before.requests, 1, 'one request before the weights');
      const came = () => counted(proxy).wire - before.wire;
      // A model is open when its header has come: the rest of the first read may be under way.
      if (ranges) await until(() => came() >= FIRST_READ);
      const opened = came();
      if (ranges) assert.ok(opened >= FIRST_READ && opened <= FIRST_READ + HEAD, `${opened} bytes`);
      const loaded = await model.load({ as: 'source' });
      for (const { name, offset, byteLength } of parseSafetensorsHeader(plain).tensors) {
        const bytes = viewBytes(loaded.get(name)!.data);
        assert.ok(Buffer.from(bytes).equals(plain.subarray(offset, offset + byteLength)), name);
      }
      const { requests, wire } = difference(counted(proxy), before);
      assert.is(requests, ranges ? 2 : 1);
      const { length } = files[file]!;
      // Without a length, the body comes in chunks, which are framed.
      const most = length + requests * HEAD + (ranges ? 0 : length / 100);
      assert.ok(wire >= length && wire <= most, `${wire} bytes for ${length}`);
    }
    const before = counted(proxy);
    await using model = await openModel(`${proxy.url}parts.index.json`);
    assert.is((await model.load()).size, SHARDS);
    const { requests, connections } = difference(counted(proxy), before);
    assert.is(requests, 1 + SHARDS * (ranges ? 2 : 1));
    // Kept, and of two requests at least one finds one: on a busy machine, one may not be free yet when its response has ended.
    if (ranges) assert.ok(connections <= 2 * LIMIT, `${connections} connections for ${requests} requests`);
  });

  test(`${name}: a cache, and no server`, async () => {
    const cache = openCache(memoryStore());
    const server = await start();
    const url = `${server.url}plain.safetensors`;
    {
      await using model = await openModel(url, { cache });
      await model.load();
    }
    await server[Symbol.asyncDispose]();
    const offline = openModel(url, { cache, offline: true });
    if (versions) {
      await using model = await offline;
      assert.is((await model.load()).size, parseSafetensorsHeader(plain).tensors.length);
    } else await rejects(offline, SourceError, /Cannot read the file offline/);
  });
}

test('nginx as docs/hosting.md configures it: a page of another origin reads all there is to know', async () => {
  const docs = await readFile(new URL('../../../docs/hosting.md', import.meta.url), 'utf8');
  const [, locations] = /```nginx\n(.*?)```/s.exec(docs)!;
  await using server = await nginx(locations);
  await writeFiles(`${server.folder}/models`);
  const url = `${server.url}models/plain.safetensors`;
  const page = await BrowserTest.open(
    `
    import { httpSource } from 'holostream/sources';
    globalThis.read = async (url, headers) => {
      const source = httpSource(url, { headers, retry: false });
      const bytes = [...await source.read(1000, 5)];
      return [bytes, source.size, (await source.version()).includes('"')];
    };
    globalThis.ready = true;`,
    (_, response) => response.writeHead(404).end(),
  );
  try {
    const expected = [[...plain.subarray(1000, 1005)], plain.length, true];
    assert.equal(await page.tab.evaluate(`read('${url}')`), expected);
    const token = JSON.stringify({ authorization: 'Bearer token' });
    assert.equal(await page.tab.evaluate(`read('${url}', ${token})`), expected);
    const missing = `read('${server.url}models/missing.safetensors').catch(({ status }) => status)`;
    assert.is(await page.tab.evaluate(missing), 404);
  } finally {
    await page.close();
  }
});

function counted({ requests, wire, connections }: CountingProxy) {
  return { requests, wire, connections };
}

function difference(after: ReturnType<typeof counted>, before: ReturnType<typeof counted>) {
  return {
    requests: after.requests - before.requests,
    wire: after.wire - before.wire,
    connections: after.connections - before.connections,
  };
}

test.run();
