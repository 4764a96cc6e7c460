import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../helpers/cli.js';
import { type Engine, launchEngine, type Tab } from '../helpers/engine.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { tick } from '../helpers/streams.js';

/** The built package as static files: no bundler, and no import is rewritten. */
const test = suite('without a build step, in a browser');

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = temporaryFolder();
const page = readFileSync(join(root, 'examples/no-build/index.html'), 'utf8');
let site: Site;
let engine: Engine;
let tab: Tab;

/** A static server of the folder, whatever the path, which remembers the scripts that it was asked for. */
interface Site {
  readonly url: string;
  readonly scripts: Set<string>;
  close(): void;
}

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.html': 'text/html' };

async function serve(): Promise<Site> {
  const scripts = new Set<string>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const name = basename(pathname) || 'index.html';
    if (name.endsWith('.js')) scripts.add(name);
    response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream');
    response.setHeader('access-control-allow-origin', '*');
    response.end(readFileSync(join(folder, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, scripts, close };
}

test.before(async () => {
  const built = readdirSync(join(root, 'dist')).filter((name) => name.endsWith('.min.js'));
  for (const name of built) cpSync(join(root, 'dist', name), join(folder, name));
  const digits = readFileSync(join(root, 'examples/digits/digits.safetensors'));
  writeFileSync(join(folder, 'index.html'), page);
  writeFileSync(join(folder, 'digits.safetensors'), digits);
  writeFileSync(join(folder, 'model.holo.safetensors'), await modelFileOf(digits));
  site = await serve();
  engine = await launchEngine();
  tab = await engine.openTab();
});

test.after(async () => {
  await engine.close();
  site.close();
});

/** What the page says at its end. */
async function outcome(url: string): Promise<{ status: string; tensors: string[] }> {
  await tab.goto(url);
  const status = async () =>
    String(await tab.evaluate("document.getElementById('status')?.textContent ?? ''"));
  while (/^$|Opening|similarity/.test(await status())) await tick(50);
  const tensors = await tab.evaluate(
    "Array.from(document.querySelectorAll('li'), (item) => item.textContent)",
  );
  return { status: await status(), tensors: tensors as string[] };
}

test('the example page loads one script, and one more with workers', async () => {
  const plain = await outcome(site.url);
  assert.match(plain.status, /^Complete: \d+ tensors$/);
  assert.equal(await outcome(`${site.url}?model=model.holo.safetensors`), plain);
  assert.equal([...site.scripts], ['holostream.min.js']);
  assert.equal(await outcome(`${site.url}?model=model.holo.safetensors&workers=2`), plain);
  assert.equal([...site.scripts], ['holostream.min.js', 'holostream.worker.min.js']);
});

test('the scripts may come from another origin, such as a CDN', async () => {
  const cdn = await serve();
  const script = '../../dist/holostream.min.js';
  assert.match(page, script);
  writeFileSync(join(folder, 'cdn.html'), page.replace(script, `${cdn.url}holostream.min.js`));
  const { status } = await outcome(`${site.url}cdn.html?model=model.holo.safetensors&workers=2`);
  assert.match(status, /^Complete/);
  assert.equal([...cdn.scripts], ['holostream.min.js', 'holostream.worker.min.js']);
  cdn.close();
});

test('compression with Zstd loads the script of its encoder', async () => {
  await outcome(site.url);
  const read = await tab.evaluate(`(async () => {
    const { bytesSource, HctReader, HctWriter, memorySink, viewBytes } = await import('holostream');
    const sink = memorySink();
    const writer = new HctWriter(sink, { algorithm: 'zstd', dtype: 'F32', shape: [4] });
    await writer.write(viewBytes(Float32Array.of(1, 2, 3, 4)));
    await writer.close();
    const reader = await HctReader.open(bytesSource(sink.bytes));
    return Array.from((await reader.readAll()).data);
  })()`);
  assert.equal(read, [1, 2, 3, 4]);
  assert.ok(site.scripts.has('holostream.zstd.min.js'));
});

test.run();
