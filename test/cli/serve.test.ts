import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { openModel } from 'holostream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../cli/serve/folderServer.js';
import { Pace } from '../../cli/serve/pace.js';
import { failed, ok, resultOf, runCli, startCli, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';

const test = suite('command line: serve');
const outside = temporaryFolder();
writeFileSync(join(outside, 'secret'), 'secret');
const folder = join(outside, 'models');
mkdirSync(join(folder, 'sub', '.git'), { recursive: true });
const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
writeFileSync(join(folder, 'a b.bin'), bytes);
writeFileSync(join(folder, 'empty.bin'), '');
writeFileSync(join(folder, 'index.html'), '<p>page');
writeFileSync(join(folder, 'sub', '.git', 'config'), 'secret');
writeFileSync(join(folder, '.env'), 'secret');
symlinkSync(join(outside, 'secret'), join(folder, 'link'));
symlinkSync(outside, join(folder, 'up'));
symlinkSync(join(folder, '.env'), join(folder, 'hidden'));
symlinkSync('a b.bin', join(folder, 'inside'));

const start = (rate?: number) => serveFolder(folder, { host: '127.0.0.1', port: 0, rate });

test('a model is loaded over HTTP', async () => {
  writeFileSync(join(folder, 'm.safetensors'), modelOf([{ name: 'w', dtype: 'F32', shape: [30, 40] }]));
  await using server = await start();
  const model = await openModel(`${server.url}m.safetensors`);
  assert.equal((await model.load()).get('w')?.shape, [30, 40]);
  await model.close();
});

test('whole files, ranges, and what is no range', async () => {
  await using server = await start();
  const get = (headers: Record<string, string> = {}, name = 'a%20b.bin') =>
    fetch(server.url + name, { headers });
  const whole = await get();
  assert.equal([whole.status, whole.headers.get('content-length')], [200, '1000']);
  assert.equal(new Uint8Array(await whole.arrayBuffer()), bytes);
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=990-5000', 990, 1000],
    ['bytes=-7', 993, 1000],
    ['bytes=990-', 990, 1000],
  ] as const) {
    const part = await get({ range });
    assert.equal([part.status, part.headers.get('content-range')], [206, `bytes ${from}-${to - 1}/1000`]);
    assert.equal(new Uint8Array(await part.arrayBuffer()), bytes.slice(from, to), range);
  }
  for (const range of ['bytes=5-4', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=-']) {
    assert.equal((await (await get({ range })).arrayBuffer()).byteLength, 1000, range);
  }
  const beyond = await get({ range: 'bytes=1000-' });
  assert.equal([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */1000']);
  assert.is(await (await get({}, 'empty.bin')).text(), '');
  assert.is((await fetch(server.url)).headers.get('content-type'), 'text/html; charset=utf-8');
  assert.is((await fetch(`${server.url}inside`, { method: 'HEAD' })).headers.get('content-length'), '1000');
});

test('versions by entity tags', async () => {
  await using server = await start();
  const url = `${server.url}a%20b.bin`;
  const etag = (await fetch(url)).headers.get('etag')!;
  assert.match(etag, /^"[^"]+"$/);
  assert.is((await fetch(url, { headers: { 'if-none-match': etag } })).status, 304);
  const range = (tag: string) => fetch(url, { headers: { range: 'bytes=0-9', 'if-range': tag } });
  assert.equal([(await range(etag)).status, (await range('"other"')).status], [206, 200]);
  writeFileSync(join(folder, 'a b.bin'), bytes.slice(1));
  assert.is.not((await fetch(url)).headers.get('etag'), etag);
  writeFileSync(join(folder, 'a b.bin'), bytes);
});

test('pages of other origins may read, and ask before', async () => {
  await using server = await start();
  for (const name of ['a%20b.bin', 'absent']) {
    const { headers } = await fetch(server.url + name);
    assert.is(headers.get('access-control-allow-origin'), '*');
    assert.match(headers.get('access-control-expose-headers')!, /Content-Range, ETag/);
  }
  const preflight = await fetch(server.url, { method: 'OPTIONS' });
  assert.is(preflight.status, 204);
  assert.match(preflight.headers.get('access-control-allow-headers')!, /Range/);
  assert.is((await fetch(server.url, { method: 'POST' })).status, 405);
});

test('nothing but what is in the folder, and not hidden', async () => {
  await using server = await start();
  for (const path of [
    ...['/../secret', '/sub/../../secret', '/%2e%2e/secret', '/..%2fsecret', '/sub/%2e%2e/%2e%2e/secret'],
    ...[
      '/..\\secret',
      '/..%5csecret',
      '/link',
      '/up/secret',
      '/hidden',
      '/.env',
      '/sub/.git/config',
      '/sub/.git',
      '/up',
    ],
    ...['/a%00', '/%', '/%ff', '//etc/passwd', '/absent', '/index.html::$DATA', '*'],
  ]) {
    // Clients tidy paths up; these are sent as they are.
    const status = await new Promise((resolve, reject) => {
      request(server.url, { path }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    assert.is(status, 404, path);
  }
});

test('a folder without the slash is where it is with one, on this server', async () => {
  await using server = await start();
  const redirected = (path: string) => fetch(new URL(path, server.url), { redirect: 'manual' });
  const response = await redirected('sub?a=b');
  assert.equal([response.status, response.headers.get('location')], [301, './sub/?a=b']);
  assert.is(response.headers.get('access-control-allow-origin'), '*');
  const followed = await fetch(`${server.url}sub`);
  assert.equal([followed.status, followed.url], [200, `${server.url}sub/`]);
  // To clients, a place that begins with two slashes is another host.
  const status = await new Promise((resolve, reject) => {
    request(server.url, { path: '//sub' }, (answer) => {
      answer.resume();
      resolve(answer.headers.location);
    })
      .on('error', reject)
      .end();
  });
  assert.is(status, './sub/');
});

test('all responses together are as fast as is said', async () => {
  const waits: number[] = [];
  const pace = new Pace(20_000, { now: () => 0, sleep: async (milliseconds) => waits.push(milliseconds) });
  for (let i = 0; i < 2; i++) {
    const chunks = [bytes.subarray(0, 500), bytes.subarray(500)];
    const sent = await buffer(Readable.from(chunks).pipe(pace.stream()));
    assert.equal(new Uint8Array(sent), bytes);
  }
  // 500 bytes a wait.
  assert.equal(waits, [25, 50, 75, 100]);
  await using server = await start(20_000);
  assert.equal(new Uint8Array(await (await fetch(`${server.url}a%20b.bin`)).arrayBuffer()), bytes);
});

test('a folder without an index.html lists what is served of it', async () => {
  const listed = temporaryFolder();
  mkdirSync(join(listed, 'sub "<'));
  writeFileSync(join(listed, 'a <b>&\u202e.bin'), bytes);
  writeFileSync(join(listed, 'sub "<', 'c.bin'), bytes);
  writeFileSync(join(listed, '.hidden'), 'secret');
  symlinkSync(join(outside, 'secret'), join(listed, 'link'));
  await using server = await serveFolder(listed, { host: '127.0.0.1', port: 0 });
  const page = await fetch(server.url);
  assert.equal([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
  const html = await page.text();
  assert.not.match(html, /hidden|link|<b>|\u202e/);
  const links = Array.from(html.matchAll(/href="([^"]*)"/g), ([, link]) => link!);
  assert.is(links.length, 2);
  assert.is((await (await fetch(server.url + links[0])).arrayBuffer()).byteLength, 1000);
  assert.match(await (await fetch(server.url + links[1])).text(), /c\.bin<\/a><\/td><td>1000 B/);
  assert.is(await (await fetch(server.url, { method: 'HEAD' })).text(), '');
  for (const name of ['absent', 'absent/', `${links[0]}/`]) {
    assert.is((await fetch(server.url + name)).status, 404, name);
  }
});

test('what is neither a file nor a folder is not served', async () => {
  if (process.platform === 'win32') return;
  const socket = createServer().listen(join(folder, 'socket'));
  await once(socket, 'listening');
  await using server = await start();
  assert.is((await fetch(`${server.url}socket`)).status, 404);
  socket.close();
});

test('the command says where, and ends when it is interrupted', async () => {
  const child = startCli(['serve', folder, '--port', '0', '--json']);
  const [first] = (await child.stdout.iterator({ destroyOnReturn: false }).next()).value
    .toString()
    .split('\n}');
  const { url } = JSON.parse(`${first}\n}`);
  assert.is((await fetch(`${url}empty.bin`)).status, 200);
  child.kill('SIGINT');
  assert.is((await resultOf(child)).code, 130);
  failed(await runCli(['serve', join(folder, 'absent')]), 1, /no such folder/);
  failed(await runCli(['serve', folder, '--rate', '0']), 2, /at least 1/);
  const taken = await start();
  failed(
    await runCli(['serve', folder, '--port', new URL(taken.url).port]),
    1,
    /Cannot listen at 127\.0\.0\.1:\d+: the port is in use \(--port takes another one, 0 any that is free\)\n$/,
  );
  await taken[Symbol.asyncDispose]();
});

test('completion has every command and option; help has examples', async () => {
  const scripts = await Promise.all(['bash', 'zsh', 'fish'].map((shell) => runCli(['completion', shell])));
  for (const script of scripts) {
    const text = ok(script).toString();
    for (const word of ['inspect', 'bench', 'serve', 'qualities', 'dry-run']) assert.match(text, word);
    assert.not.match(text, 'verbose');
  }
  for (const command of [
    'inspect',
    'verify',
    'encode',
    'decode',
    'quality',
    'bench',
    'serve',
    'completion',
    'plan',
    'bulk',
    'bulk run',
    'bulk add',
    'bulk work',
    'bulk status',
    'bulk clean',
  ]) {
    assert.match(
      ok(await runCli([...command.split(' '), '--help'])).toString(),
      /\nExamples:\n {2}# .*\n {2}\S/,
      command,
    );
  }
  failed(await runCli(['completion', 'tcsh']), 2, /bash, zsh, fish/);
});

test.run();
