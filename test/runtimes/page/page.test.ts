import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildPage } from '../../../examples/page/build.js';
import { SHOWN } from '../../../examples/page/racer/digitsTask.js';
import { temporaryFolder } from '../../helpers/cli.js';
import { launchChromium, PATIENCE_MS } from '../../helpers/engine.js';
import { Project } from '../helpers/project.js';

const test = suite('the demo page with a recogniser of text, and what axe says of it');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

let project: Project;
let browser: Browser;
let folder: string;

test.before(async () => {
  project = await Project.create('page');
  folder = temporaryFolder();
  assert.equal(await buildPage(folder, project.path('node_modules')), { text: true });
  browser = await launchChromium();
});

test.after(async () => {
  await browser.close();
  project.remove();
});

/** Opens the page in a context of its own, from a server that sends these headers. */
async function withPage(
  use: (page: Page) => Promise<void>,
  headers: Readonly<Record<string, string>> = {},
  options: BrowserContextOptions = {},
): Promise<void> {
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url!, 'http://localhost').pathname) || 'index.html';
    response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream');
    for (const [key, value] of Object.entries(headers)) response.setHeader(key, value);
    response.end(readFileSync(join(folder, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  try {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/#rate=10000000`);
    await textOf(page, '#status', /Every bit/);
    await use(page);
  } finally {
    await context.close();
    server.closeAllConnections();
    server.close();
  }
}

async function textOf(page: Page, selector: string, pattern: RegExp): Promise<void> {
  await page.waitForFunction(
    ([where, source]) => new RegExp(source!).test(document.querySelector(where!)!.textContent!),
    [selector, pattern.source],
  );
}

test('a line is read with 15 % of the bytes as with all of them', async () => {
  const problems: string[] = [];
  await withPage(async (page) => {
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.click('#text-start');
    await textOf(page, '#text-status', /^Complete/);
    const readings = await page.locator('#readings .text').allTextContents();
    assert.is(readings.length, 4);
    assert.is(readings[3], 'Weights arrive, words appear');
    assert.is(readings[2], readings[3]);
    await page.fill('#line', 'another line');
    await textOf(page, '#readings li:last-child .text', /another line/);
  });
  assert.equal(problems, []);
});

test('where WebAssembly is forbidden, digits are read all the same, and the text panel says why it is not', async () => {
  await withPage(
    async (page) => {
      assert.ok((await page.locator('#plain .right').count()) >= 8);
      await page.click('#text-start');
      await textOf(page, '#text-status', /no WebAssembly/);
    },
    { 'content-security-policy': "script-src 'self'" },
  );
});

const AXE = () => readFileSync(project.path('node_modules/axe-core/axe.min.js'), 'utf8');

for (const options of [
  { colorScheme: 'light' },
  { colorScheme: 'dark', viewport: { width: 1920, height: 1080 } },
  { colorScheme: 'light', viewport: { width: 360, height: 640 } },
] as const) {
  test(`axe finds nothing: ${JSON.stringify(options)}`, async () => {
    await withPage(
      async (page) => {
        // What is folded is examined, too.
        await page.evaluate(() => {
          for (const panel of document.querySelectorAll('details')) panel.open = true;
        });
        // Colours on their way from one to another, and what a panel draws when it is opened, are no state of the page.
        await page.waitForFunction(
          (count) => document.querySelectorAll('#digits .digit').length === count,
          SHOWN,
        );
        await page.evaluate(async () => {
          for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
          await Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {})));
        });
        // By the debugger: the page lets no foreign script in.
        await page.evaluate(AXE());
        const violations = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          };
          const found = await axe.run();
          return found.violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(', ')}`,
          );
        });
        assert.equal(violations, []);
      },
      {},
      options,
    );
  });
}

test.run();
