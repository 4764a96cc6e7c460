import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FolderServer, serveFolder } from '../../examples/demo/server.js';
import { accuracy } from '../../examples/digits/mlp.js';
import { layersOf } from '../../examples/digits/model.js';
import { testSet } from '../../examples/digits/testSet.js';
import { buildPage } from '../../examples/page/build.js';
import { readSafetensors } from '../../readers/safetensors.js';
import { bytesSource } from '../../sources/bytes.js';
import { temporaryFolder } from '../helpers/cli.js';
import { launchChromium } from '../helpers/engine.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('the demo page in Chromium');

/** What the page computes with: the model, and as many images as it shows a figure for. */
const layers = layersOf(await readSafetensors(bytesSource(TRAINED_FILES.digits)));
const samples = testSet().slice(0, 300);
let server: FolderServer;
let browser: Browser;
let page: Page;
const problems: string[] = [];

test.before(async () => {
  const folder = temporaryFolder();
  await buildPage(folder);
  server = await serveFolder(folder, 1000);
  browser = await launchChromium();
  page = await browser.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(server.url);
});

test.after(async () => {
  await browser.close();
  await server[Symbol.asyncDispose]();
});

const text = async (selector: string) => (await page.textContent(selector)) ?? '';

test('the model works before all of it has arrived, and is exact at the end', async () => {
  await page.selectOption('#rate', '20000');
  await page.click('#load');
  // A twentieth of the file is enough for nine of ten digits. The first request brings a sixth of it, and more may have come
  // before they are counted.
  await page.waitForFunction(() => Number.parseFloat(document.querySelector('#accuracy')!.textContent!) > 90);
  const early = Number.parseFloat(await text('#bytes'));
  assert.ok(early > 0 && early < 50, `${early} %`);
  await page.click('#pause');
  assert.is(await text('#pause'), 'Resume');
  await page.selectOption('#rate', '10000000');
  await page.click('#load');
  await page.waitForFunction(() => document.querySelector('#status')!.textContent!.startsWith('Complete'));
  await page.waitForFunction(() => document.querySelector('#quality')!.textContent === '1.0000');
  assert.is(await text('#accuracy'), `${(100 * accuracy(layers, samples)).toFixed(1)} %`);
  const right = await page.locator('#digits .right').count();
  assert.is(right / 40, accuracy(layers, samples.slice(0, 40)));
  assert.equal(problems, []);
});

test('a drawn digit is recognised', async () => {
  const box = (await page.locator('#pad').boundingBox())!;
  const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
  assert.is(await text('#guess'), '–');
  await page.mouse.move(...at(0.5, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.5, 0.8), { steps: 20 });
  await page.mouse.up();
  assert.is(await text('#guess'), '1');
  await page.click('#clear');
  assert.is(await text('#guess'), '–');
  assert.equal(problems, []);
});

test.run();
