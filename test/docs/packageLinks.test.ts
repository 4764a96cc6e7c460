import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { markdownFiles } from '../helpers/examples.js';

const test = suite('links of the pages in the package');
const root = fileURLToPath(new URL('../..', import.meta.url));
const { files }: { files: readonly string[] } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const isShipped = (path: string) => files.some((file) => path === file || path.startsWith(file + sep));

test('each leads to what is in the package, too', () => {
  const pages = new Set(
    [...markdownFiles(), ...files].filter((path) => path.endsWith('.md') && isShipped(path)),
  );
  assert.ok(pages.size > 25, `${pages.size} pages`);
  const broken: string[] = [];
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target] of text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)) {
      const path = normalize(join(dirname(page), target!));
      if (!isShipped(path) || !existsSync(join(root, path))) broken.push(`${page}: ${target}`);
    }
  }
  assert.equal(broken, []);
});

test.run();
