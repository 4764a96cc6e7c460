import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type OutputFile } from 'esbuild';
import { type Engine, launchEngine, PATIENCE_MS, type Tab } from './engine.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A script that imports the built package, by their paths: `/bundle.js` and the chunks that it loads. */
async function bundle(script: string): Promise<Map<string, string>> {
  const files = await bundled({
    stdin: { contents: script, resolveDir: root, loader: 'ts' },
    entryNames: 'bundle',
    splitting: true,
  });
  return new Map(files.map(({ path, text }) => [path, text]));
}

/** The worker's script of the built package, as one file: an entry of its own, as nothing imports it. */
export async function bundleWorker(): Promise<string> {
  const [file] = await bundled({ entryPoints: [`${root}/dist/workers/worker.js`] });
  return file!.text;
}

/** Browsers must not need anything of Node: the bundle is made without its built-ins. */
async function bundled(input: BuildOptions): Promise<OutputFile[]> {
  const result = await build({
    ...input,
    alias: {
      'holostream/formats': `${root}/dist/formats.js`,
      'holostream/lean': `${root}/dist/lean.js`,
      'holostream/operators': `${root}/dist/operators/index.js`,
      'holostream/sources': `${root}/dist/sources/index.js`,
      'holostream/sinks': `${root}/dist/sinks/index.js`,
      holostream: `${root}/dist/index.js`,
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
    outdir: '/',
    write: false,
    logLevel: 'silent',
  });
  return result.outputFiles!;
}

/** The page at `/`. */
export const PAGE =
  '<!doctype html><title>test</title><script src="/before.js"></script><script type="module" src="/bundle.js"></script>';

/** As in engines that cannot iterate streams (Safari): nothing of ours may need it. */
const BEFORE = `
  delete ReadableStream.prototype[Symbol.asyncIterator];
  delete ReadableStream.prototype.values;
`;

const POLL_MS = 20;

/** A page of a real browser on a real server: `/` loads the bundled script, the rest is the test's. */
export class BrowserTest {
  readonly tab: Tab;
  readonly url: string;
  /** The bundle's scripts that the browser has fetched: their code by their paths. */
  readonly scripts: ReadonlyMap<string, string>;
  readonly #engine: Engine;
  readonly #server: Server;

  private constructor(
    tab: Tab,
    url: string,
    scripts: ReadonlyMap<string, string>,
    engine: Engine,
    server: Server,
  ) {
    this.tab = tab;
    this.url = url;
    this.scripts = scripts;
    this.#engine = engine;
    this.#server = server;
  }

  /**
   * @param script sets `globalThis.ready` at its end
   * @param headers of every answer
   * @param launch starts the browser
   */
  static async open(
    script: string,
    serve: RequestListener,
    headers: Readonly<Record<string, string>> = {},
    launch: () => Promise<Engine> = launchEngine,
  ): Promise<BrowserTest> {
    const files = await bundle(script);
    const scripts = new Map<string, string>();
    const server = createServer((request, response) => {
      const path = request.url!;
      const code = files.get(path);
      response.setHeaders(new Map(Object.entries(headers)));
      if (path === '/') {
        response.setHeader('content-type', 'text/html');
        response.end(PAGE);
      } else if (code !== undefined || path === '/before.js') {
        if (code !== undefined) scripts.set(path, code);
        response.setHeader('content-type', 'text/javascript');
        response.end(code ?? BEFORE);
      } else if (path === '/favicon.ico') {
        response.writeHead(204).end();
      } else {
        serve(request, response);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const engine = await launch();
    const browser = new BrowserTest(await engine.openTab(), url, scripts, engine, server);
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
      if (performance.now() - start > PATIENCE_MS)
        throw new Error(`the page was not ready after ${PATIENCE_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async close(): Promise<void> {
    await this.#engine.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
