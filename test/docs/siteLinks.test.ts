import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brokenLinks } from '../../scripts/siteLinks.js';
import { temporaryFolder } from '../helpers/cli.js';

const test = suite('links of the documentation site');
const folder = temporaryFolder();
mkdirSync(join(folder, 'sub', 'empty'), { recursive: true });
writeFileSync(join(folder, 'a b.png'), '');

test('links that lead to a file, to a folder with a page, or elsewhere are right; all others are found', () => {
  const right = [
    'sub/page.html#x',
    'sub/',
    '#top',
    'https://example.org/x',
    'data:,x',
    '/a%20b.png',
    './a%20b.png?v=1',
  ];
  writeFileSync(join(folder, 'index.html'), right.map((target) => `<a href="${target}">`).join(''));
  writeFileSync(join(folder, 'sub', 'index.html'), '<script>const x = \'<a href="no.html">\'</script>');
  writeFileSync(join(folder, 'sub', 'page.html'), '<img src="../a%20b.png">');
  assert.equal(brokenLinks(folder), []);
  const wrong = ['absent.html', '../../outside.html', 'empty', '/absent.png'];
  writeFileSync(join(folder, 'sub', 'page.html'), wrong.map((target) => `<a href="${target}">`).join(''));
  assert.equal(
    brokenLinks(folder),
    wrong.map((target) => `${join('sub', 'page.html')}: ${target}`),
  );
});

test.run();
