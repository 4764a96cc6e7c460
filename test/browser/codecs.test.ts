import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BrowserTest, PAGE } from '../helpers/browser.js';

const test = suite('codecs in a browser');

const script = `
  import { loadCodec, xxh3 } from 'holostream/formats';

  const data = Uint8Array.from({ length: 30_000 }, (_, i) => (i % 251) * (i % 7));
  globalThis.run = {
    async roundTrip(algorithm) {
      const codec = await loadCodec(algorithm);
      const out = new Uint8Array(data.length);
      codec.decompressInto(codec.compress(data), out);
      return [codec.implementation, xxh3(out) === xxh3(data)];
    },
    async decode(algorithm, block, length) {
      const codec = await loadCodec(algorithm);
      const out = new Uint8Array(length);
      codec.decompressInto(Uint8Array.from(block), out);
      return [codec.implementation, ...out];
    },
    async refusal() {
      const codec = await loadCodec('zstd');
      try {
        return codec.compress(data).length;
      } catch (error) {
        return error.message;
      }
    },
  };
  globalThis.ready = true;
`;

/** Everything a browser needs to decode blocks, minified and gzipped. The encoder would be 100 kB more. */
const DECODER_LIMIT = 32_000;

/** A content policy of this kind forbids WebAssembly. */
const POLICY = "default-src 'self'";

const asked: string[] = [];
let browser: BrowserTest;

function call(name: string, ...parameters: unknown[]): Promise<unknown> {
  return browser.tab.evaluate(`run.${name}(...${JSON.stringify(parameters)})`);
}

test.before(async () => {
  browser = await BrowserTest.open(script, (request, response) => {
    asked.push(String(request.url));
    response.setHeader('content-type', 'text/html');
    response.setHeader('content-security-policy', POLICY);
    response.end(PAGE);
  });
});

test.after(() => browser.close());

test('both ways in wasm, and nothing but the bundle is fetched', async () => {
  assert.equal(await call('roundTrip', 'lz4'), ['wasm', true]);
  assert.equal(await call('roundTrip', 'zstd'), ['wasm', true]);
  assert.equal(asked, []);
});

test('decodes without wasm where the content policy forbids it', async () => {
  await browser.load('policy');
  assert.equal(await call('roundTrip', 'lz4'), ['portable', true]);
  // A frame of one raw block.
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, (3 << 3) | 1, 0, 0, 7, 8, 9];
  assert.equal(await call('decode', 'zstd', frame, 3), ['portable', 7, 8, 9]);
  assert.match(String(await call('refusal')), /Cannot compress with Zstd: it needs WebAssembly/);
});

test('a program that only decodes does not fetch the encoder', async () => {
  const decoding = await BrowserTest.open(
    `import { loadDecoder } from 'holostream/formats';
    loadDecoder('zstd').then(({ implementation }) => {
      globalThis.implementation = implementation;
      globalThis.ready = true;
    });`,
    (_, response) => response.writeHead(404).end(),
  );
  try {
    assert.is(await decoding.tab.evaluate('implementation'), 'wasm');
    const scripts = [...decoding.scripts.values()];
    const size = scripts.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
    assert.ok(size < DECODER_LIMIT, `${size} bytes`);
  } finally {
    await decoding.close();
  }
});

test.run();
