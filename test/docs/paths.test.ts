import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { markdownFiles } from '../helpers/examples.js';
import { PRODUCT_FOLDERS } from '../helpers/product.js';

const test = suite('paths in the documentation');
const root = fileURLToPath(new URL('../..', import.meta.url));
const FILES = [
  ...markdownFiles(),
  'CONTRIBUTING.md',
  'bench/README.md',
  'examples/README.md',
  'src/kernels/README.md',
];

/** What the worked example of CONTRIBUTING makes. */
const MADE = /packBits/;

test('every file of the repository that a page names exists', () => {
  const missing: string[] = [];
  let named = 0;
  for (const file of FILES) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, path] of text.matchAll(/(?<![\w./@*-])([a-z]\w*\/[\w./-]*\.(?:ts|md|mjs|json|svg))\b/g)) {
      // Relative to the root, to the page, or to the box of the picture in which it is.
      const places = ['.', dirname(file), 'sources'].map((folder) => join(root, folder, path!));
      named += 1;
      if (!MADE.test(path!) && !places.some((place) => existsSync(place))) missing.push(`${file}: ${path}`);
    }
  }
  assert.equal(missing, []);
  assert.ok(named > 50, `${named} paths`);
});

test('the tree in docs/architecture.md has every folder of the product', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const [, tree = ''] = /```text\n(index\.ts.*?)```/s.exec(text)!;
  const foldersIn = (path: string) =>
    readdirSync(join(root, path), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const nested = ['src/kernels', 'src/encodings', ...PRODUCT_FOLDERS].flatMap((folder) =>
    foldersIn(folder).map(({ name }) => name),
  );
  const missing = [...PRODUCT_FOLDERS, ...nested].filter((name) => !new RegExp(`\\b${name}/`).test(tree));
  assert.equal(missing, []);
});

test.run();
