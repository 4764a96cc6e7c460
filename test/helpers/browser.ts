import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { type Engine, launchEngine, type Tab } from './engine.js';

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

/** The page at `/`. */
export const PAGE =
  '<!doctype html><title>test</title><script src="/before.js"></script><script type="module" src="/bundle.js"></script>';

/** As in engines that cannot iterate streams (Safari): nothing of ours may need it. */
const BEFORE = `
  delete ReadableStream.prototype[Symbol.asyncIterator];
  delete ReadableStream.prototype.values;
`;

/** How long a page may take to say that it is ready. */
const READY_MS = 30_000;
const POLL_MS = 20;

/** A page of a real browser on a real server: `/` loads the bundled script, the rest is the test's. */
export class BrowserTest {
  readonly tab: Tab;
  readonly url: string;
  readonly #engine: Engine;
  readonly #server: Server;

  private constructor(tab: Tab, url: string, engine: Engine, server: Server) {
    this.tab = tab;
    this.url = url;
    this.#engine = engine;
    this.#server = server;
  }

  /**
   * @param script sets `globalThis.ready` at its end
   * @param headers of every answer
   */
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
        response.end(PAGE);
      } else if (request.url === '/before.js' || request.url === '/bundle.js') {
        response.setHeader('content-type', 'text/javascript');
        response.end(request.url === '/bundle.js' ? code : BEFORE);
      } else if (request.url === '/favicon.ico') {
        response.writeHead(204).end();
      } else {
        serve(request, response);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const engine = await launchEngine();
    const browser = new BrowserTest(await engine.openTab(), url, engine, server);
    try {
      await browser.load();
    } catch (error) {
      await browser.close();
      throw error;
    }
    return browser;
  }

  /** Another tab with the same page. */
  async openTab(): Promise<Tab> {
    const tab = await this.#engine.openTab();
    await this.load('', tab);
    return tab;
  }

  /** Loads a page of the server, and waits until its script is ready. */
  async load(path = '', tab = this.tab): Promise<void> {
    await tab.goto(this.url + path);
    const start = performance.now();
    while ((await tab.evaluate('globalThis.ready === true')) !== true) {
      if (performance.now() - start > READY_MS)
        throw new Error(`the page was not ready after ${READY_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async close(): Promise<void> {
    await this.#engine.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
