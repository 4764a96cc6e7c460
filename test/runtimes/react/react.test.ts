import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../../examples/demo/server.js';
import { launchChromium, PATIENCE_MS } from '../../helpers/engine.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { Project } from '../helpers/project.js';

const test = suite('a React hook');
const root = fileURLToPath(new URL('../../..', import.meta.url));
let project: Project;
let browser: Browser;

test.before(async () => {
  project = await Project.create('react');
  cpSync(`${root}/examples/react`, project.folder, { recursive: true });
  const bundling = ['page.js', '--bundle', '--format=esm', '--outfile=page.bundle.js'];
  await project.run('esbuild', ...bundling);
  const file = await modelFileOf(readFileSync(`${root}/examples/digits/digits.safetensors`));
  writeFileSync(project.path('model.holo.safetensors'), file);
  browser = await launchChromium();
});
test.after(async () => {
  await browser.close();
  project.remove();
});

test('renders the quality until it is 1, and an error where there is no model', async () => {
  await using server = await serveFolder(project.folder, 65536);
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(server.url);
  assert.is(await page.locator('#complete').textContent(), '1');
  await page.goto(`${server.url}?model=missing.safetensors`);
  assert.match((await page.locator('#error').textContent())!, /404/);
});

test.run();
