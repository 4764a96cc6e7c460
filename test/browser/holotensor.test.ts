import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { ENCODINGS } from '../../src/encodings/encodings.js';
import { assertClose } from '../helpers/assertions.js';
import { BrowserTest } from '../helpers/browser.js';
import { holoFile } from '../helpers/holoFiles.js';
import { noise } from '../helpers/random.js';
import { trickle } from '../helpers/trickle.js';

const test = suite('HoloTensor in a browser');

const script = `
  import {
    decodeFragments, fromReadableStream, FragmentDecoderStream, HoloTensorReader, httpSource, reconstruct, ReconstructionStream,
    takeUntilQuality, QualityLimiterStream,
  } from 'holostream';
  import { lastValueFrom } from 'rxjs';

  const result = ({ data, quality, fragments }) => ({ data: [...data], cosine: quality.cosine, fragments });
  globalThis.run = {
    async asStream(url, quality) {
      const { body } = await fetch(url);
      const reader = body
        .pipeThrough(new FragmentDecoderStream())
        .pipeThrough(new ReconstructionStream())
        .pipeThrough(new QualityLimiterStream(quality))
        .getReader();
      let last;
      for (let next = await reader.read(); !next.done; next = await reader.read()) last = result(next.value);
      return last;
    },
    async asOperator(url, quality) {
      const { body } = await fetch(url);
      const tensors = fromReadableStream(body).pipe(decodeFragments(), reconstruct(), takeUntilQuality(quality));
      return result(await lastValueFrom(tensors));
    },
    async byRandomAccess(url, quality) {
      const reader = await HoloTensorReader.open(httpSource(url));
      return result(await reader.readToQuality(quality));
    },
  };
  globalThis.ready = true;
`;

const data = noise(60 * 70);
const names = Object.keys(ENCODINGS) as HolographicEncoding[];
const files = new Map(
  names.map((name) => [
    `/${name}`,
    holoFile(name, data, [60, 70], name === 'low-rank' ? { residual: true } : {}),
  ]),
);

let browser: BrowserTest;

test.before(async () => {
  browser = await BrowserTest.open(script, (request, response) => {
    const bytes = files.get(request.url!)!;
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range === null) {
      void trickle(bytes, response);
      return;
    }
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    response.writeHead(206, {
      'content-range': `bytes ${start}-${end}/${bytes.length}`,
      'content-length': end - start + 1,
    });
    response.end(bytes.subarray(start, end + 1));
  });
});

test.after(() => browser.close());

for (const way of ['asStream', 'asOperator', 'byRandomAccess']) {
  test(`every encoding over HTTP, ${way}: whole, or just good enough`, async () => {
    for (const name of names) {
      const run = (quality: number) =>
        browser.tab.evaluate(`run.${way}('/${name}', ${quality})`) as Promise<{
          data: number[];
          cosine: number;
          fragments: number;
        }>;
      const whole = await run(1);
      assert.is(whole.fragments, 8, name);
      assertClose(whole.data, data, 1e-6);
      const enough = await run(0.5);
      assert.ok(enough.cosine >= 0.5 && enough.fragments < 8, `${name} ${enough.cosine}`);
    }
  });
}

test.run();
