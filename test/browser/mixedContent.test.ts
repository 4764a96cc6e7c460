import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchChromium, PATIENCE_MS } from '../helpers/engine.js';

const test = suite('a page that came by https');

const PAGE = `<!doctype html><script type="module">
  import { httpSource } from '/holostream.min.js';
  globalThis.failure = async (url) => {
    const events = [];
    const retry = { retries: 1, delay: 1 };
    const source = httpSource(url, { retry, onEvent: ({ type }) => events.push(type) });
    const { message, retryable } = await source.read(0, 10).catch((error) => error);
    return { message, retryable, retries: events.filter((type) => type === 'retry').length };
  };
</script>`;

test('may not read what comes by http, which fails at once and says so', async () => {
  const script = await readFile(new URL('../../dist/holostream.min.js', import.meta.url), 'utf8');
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.route('https://page.test/**', (route) => {
      const isPage = new URL(route.request().url()).pathname === '/';
      return route.fulfill({
        contentType: isPage ? 'text/html' : 'text/javascript',
        body: isPage ? PAGE : script,
      });
    });
    await page.goto('https://page.test/');
    await page.waitForFunction('globalThis.failure');
    const result = await page.evaluate<{ message: string }>(`failure('http://models.test/file')`);
    const { message, ...rest } = result;
    assert.match(message, /a page that came by https: may not read what comes by http:/);
    assert.equal(rest, { retryable: false, retries: 0 });
  } finally {
    await browser.close();
  }
});

test.run();
