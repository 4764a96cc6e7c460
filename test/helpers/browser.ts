import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Debian's place for it; another Chromium can be named. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A module that imports the built package, as one file. */
export function bundle(script: string): Promise<string> {
  return bundled({ stdin: { contents: script, resolveDir: root, loader: 'ts' } });
}

/** The worker's script of the built package, as one file: an entry of its own, as nothing imports it. */
export function bundleWorker(): Promise<string> {
  return bundled({ entryPoints: [`${root}/dist/workers/worker.js`] });
}

/** Browsers must not need anything of Node: the bundle is made without its built-ins. */
async function bundled(input: BuildOptions): Promise<string> {
  const result = await build({
    ...input,
    alias: {
      'holostream/formats': `${root}/dist/formats.js`,
      'holostream/operators': `${root}/dist/operators/index.js`,
      'holostream/sources': `${root}/dist/sources/index.js`,
      'holostream/sinks': `${root}/dist/sinks/index.js`,
      holostream: `${root}/dist/index.js`,
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
    write: false,
    logLevel: 'silent',
  });
  return result.outputFiles![0]!.text;
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** A page of a real Chromium on a real server: `/` loads the bundled script, the rest is the test's. */
export class BrowserTest {
  readonly page: Page;
  readonly url: string;
  readonly #browser: Browser;
  readonly #server: Server;

  private constructor(page: Page, url: string, browser: Browser, server: Server) {
    this.page = page;
    this.url = url;
    this.#browser = browser;
    this.#server = server;
  }

  /** @param headers of every answer */
  static async open(
    script: string,
    serve: RequestListener,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<BrowserTest> {
    const code = await bundle(script);
    const server = createServer((request, response) => {
      response.setHeaders(new Map(Object.entries(headers)));
      if (request.url === '/') {
        response.setHeader('content-type', 'text/html');
        response.end('<!doctype html><title>test</title><script type="module" src="/bundle.js"></script>');
      } else if (request.url === '/bundle.js') {
        response.setHeader('content-type', 'text/javascript');
        response.end(code);
      } else if (request.url === '/favicon.ico') {
        response.writeHead(204).end();
      } else {
        serve(request, response);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const browser = await launchChromium();
    const page = await (await browser.newContext()).newPage();
    // As in engines that cannot iterate streams (Safari): nothing of ours may need it.
    await page.addInitScript(() => {
      Reflect.deleteProperty(ReadableStream.prototype, Symbol.asyncIterator);
      Reflect.deleteProperty(ReadableStream.prototype, 'values');
    });
    page.on('pageerror', (error) => console.error('page:', error.message));
    await page.goto(url);
    return new BrowserTest(page, url, browser, server);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
