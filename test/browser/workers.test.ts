import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { BrowserTest, bundleWorker } from '../helpers/browser.js';

const test = suite('workers of the built package');

const LENGTH = 6 * 2 ** 20;
const bytes = Uint8Array.from({ length: LENGTH }, (_, i) => (i >> 4) ^ (i % 13));
const sha256 = createHash('sha256').update(bytes).digest('hex');

async function hctFile(): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { version: 2, algorithm: 'zstd', dtype: 'I8', shape: [LENGTH] });
  await writer.write(bytes);
  await writer.close();
  return sink.bytes;
}

test('in a browser, bundled: a file of its own beside the bundle', async () => {
  const script = `
    import { HctDecoderStream, HctReader, bytesSource } from 'holostream';
    const hash = async (data) => {
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
      return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    };
    globalThis.run = async () => {
      const file = new Uint8Array(await (await fetch('/model.hct')).arrayBuffer());
      const reader = await HctReader.open(bytesSource(file), { workers: 2 });
      const read = await hash((await reader.readAll()).data);
      const stream = new Blob([file]).stream().pipeThrough(new HctDecoderStream({ workers: 2 }));
      return [read, await hash(await new Response(stream).arrayBuffer())];
    };
    globalThis.ready = true;
  `;
  const files: Record<string, string | Uint8Array> = {
    '/worker.js': await bundleWorker(),
    '/model.hct': await hctFile(),
  };
  const asked = new Set<string>();
  const browser = await BrowserTest.open(script, (request, response) => {
    asked.add(request.url!);
    if (request.url === '/worker.js') response.setHeader('content-type', 'text/javascript');
    response.end(files[request.url!]);
  });
  try {
    assert.equal(await browser.tab.evaluate('run()'), [sha256, sha256]);
    assert.ok(asked.has('/worker.js'));
  } finally {
    await browser.close();
  }
});

/** The page may share memory with its workers when the server says this of both. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

test('in a browser, isolated: with shared memory, and scripts that are not ours', async () => {
  const script = `
    import { ChecksumError, HctReader, WorkerError, WorkerPool, bytesSource } from 'holostream';
    globalThis.read = async (url, flip = 0) => {
      const file = new Uint8Array(await (await fetch('/model.hct')).arrayBuffer());
      file[file.length - 1000] ^= flip;
      // Only what never starts is not waited for: on a busy machine, others take their time.
      const workers = new WorkerPool(2, { url, startTimeout: url === '/empty.js' ? 500 : undefined });
      const reader = await HctReader.open(bytesSource(file), { workers });
      const out = new Uint8Array(new SharedArrayBuffer(reader.header.originalSize));
      await reader.readInto(out, 0);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(out)));
      return [crossOriginIsolated, [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')];
    };
    const isError = { ChecksumError, WorkerError };
    globalThis.failure = (name, ...input) =>
      read(...input).then(String, (error) => [error instanceof isError[name], error.message, error.cause?.message]);
    globalThis.ready = true;
  `;
  const files: Record<string, string | Uint8Array> = {
    '/worker.js': await bundleWorker(),
    '/model.hct': await hctFile(),
    '/empty.js': '',
    '/other.js': 'postMessage("hello")',
  };
  const browser = await BrowserTest.open(
    script,
    ({ url }, response) => {
      if (url!.endsWith('.js')) response.setHeader('content-type', 'text/javascript');
      response.end(files[url!] ?? '<!doctype html>');
    },
    ISOLATED,
  );
  try {
    assert.equal(await browser.tab.evaluate("read('/worker.js')"), [true, sha256]);
    for (const [url, why] of [
      ['/empty.js', 'was not ready after 500 ms'],
      ['/other.js', 'is not the one of this version'],
      ['/missing.js', 'the worker script cannot be loaded'],
    ] as const) {
      const [known, message, cause] = (await browser.tab.evaluate(
        `failure('WorkerError', '${url}')`,
      )) as string[];
      assert.equal([known, message], [true, 'Cannot run the task: the worker did not start']);
      assert.match(cause!, why);
    }
    const [known] = (await browser.tab.evaluate("failure('ChecksumError', '/worker.js', 1)")) as unknown[];
    assert.ok(known, 'errors keep their class when the scripts are minified');
  } finally {
    await browser.close();
  }
});

test('in Node, from dist: found, and the process ends when it is done', async () => {
  const script = `
    import { createHash } from 'node:crypto';
    import { bytesSource, HctReader } from '${new URL('../../dist/index.js', import.meta.url)}';
    const chunks = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    const reader = await HctReader.open(bytesSource(Buffer.concat(chunks)), { workers: 2 });
    const { data } = await reader.readAll();
    console.log(createHash('sha256').update(data).digest('hex'));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    input: await hctFile(),
    timeout: 30_000,
  });
  assert.is(output.toString().trim(), sha256);
});

test.run();
