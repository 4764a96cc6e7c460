import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'uvu';
import { run } from './process.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Registers the test files of `test/browser` that run in any browser, each as one test. */
export function browserSuite(test: Test, driver: () => string): void {
  const files = readdirSync(join(root, 'test/browser'))
    .map((name) => `test/browser/${name}`)
    .filter((file) => /BrowserTest|launchEngine/.test(readFileSync(join(root, file), 'utf8')));
  for (const file of files) {
    test(file, async () => {
      await run(process.execPath, ['--import', 'tsx', file], root, { BROWSER_DRIVER: driver() });
    });
  }
}
