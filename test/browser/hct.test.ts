import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BrowserTest } from '../helpers/browser.js';
import { hctFixtures } from '../helpers/hctFixtures.js';
import { until } from '../helpers/streams.js';
import { trickle } from '../helpers/trickle.js';

const test = suite('the built package in a browser');

const script = `
  import { collectTensor, decodeHct, fromReadableStream, HctDecoderStream, httpSource, HctReader } from 'holostream';
  import { lastValueFrom, toArray } from 'rxjs';

  const join = async (chunks) => [...new Uint8Array(await new Blob(chunks).arrayBuffer())];
  globalThis.run = {
    async asStream(url) {
      const { body } = await fetch(url);
      const chunks = [];
      const reader = body.pipeThrough(new HctDecoderStream()).getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
      return join(chunks);
    },
    async asOperator(url) {
      const { body } = await fetch(url);
      return join(await lastValueFrom(fromReadableStream(body).pipe(decodeHct(), toArray()), { defaultValue: [] }));
    },
    async asTensor(url) {
      const { body } = await fetch(url);
      const { data } = await collectTensor(body);
      return join([data]);
    },
    async byRandomAccess(url) {
      const reader = await HctReader.open(httpSource(url));
      const { data } = await reader.readAll();
      return join([data]);
    },
    async cancelled(url) {
      const { body } = await fetch(url);
      const subscription = fromReadableStream(body).pipe(decodeHct()).subscribe(() => subscription.unsubscribe());
    },
  };
  globalThis.ready = true;
`;

let browser: BrowserTest;
let aborted = 0;

test.before(async () => {
  browser = await BrowserTest.open(script, (request, response) => {
    const file = hctFixtures.find((fixture) => request.url === `/${fixture.file}`);
    if (file === undefined) {
      // Endless: only a cancelled request ends it.
      const [sample] = hctFixtures.filter(({ blockSize, raw }) => raw.length > 4 * blockSize);
      response.write(sample!.bytes.subarray(0, sample!.bytes.length / 2));
      // Firefox lets go of a request when the next bytes come.
      const more = setInterval(() => response.write('more'), 50);
      response.on('close', () => {
        clearInterval(more);
        aborted += 1;
      });
      return;
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range === null) {
      void trickle(file.bytes, response);
      return;
    }
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), file.bytes.length - 1)];
    response.writeHead(206, {
      'content-range': `bytes ${start}-${end}/${file.bytes.length}`,
      'content-length': end - start + 1,
    });
    response.end(file.bytes.subarray(start, end + 1));
  });
});

test.after(() => browser.close());

for (const way of ['asStream', 'asOperator', 'asTensor', 'byRandomAccess']) {
  test(`fixtures over HTTP, ${way}`, async () => {
    for (const file of hctFixtures.filter(({ raw }) => raw.length < 20000)) {
      const bytes = await browser.tab.evaluate(`run.${way}('/${file.file}')`);
      assert.equal(Buffer.from(bytes as number[]), Buffer.from(file.raw), file.file);
    }
  });
}

test('unsubscribing ends the request', async () => {
  await browser.tab.evaluate(`run.cancelled('/endless')`);
  await until(() => aborted > 0);
  assert.is(aborted, 1);
});

test.run();
