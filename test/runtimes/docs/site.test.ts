import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../../helpers/cli.js';
import { markdownFiles } from '../../helpers/examples.js';

const test = suite('the documentation site');
const root = fileURLToPath(new URL('../../..', import.meta.url));

test('it builds without warnings and broken links, and has guides, reference and demo page', () => {
  const site = join(temporaryFolder(), 'site');
  const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', 'docs', '--', site], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.is(status, 0, stdout + stderr);
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' });
  const guides = markdownFiles().filter((file) => file.startsWith('docs/'));
  // Two documents of one name (hct.md) get different pages.
  assert.ok(pages.filter((page) => /^documents\/.*\.html$/.test(page)).length >= guides.length);
  for (const page of ['functions/index.openModel.html', 'classes/index.HctReader.html', 'demo/index.html']) {
    assert.ok(pages.includes(page), page);
  }
  assert.match(readFileSync(join(site, 'index.html'), 'utf8'), '<a href="demo/index.html">Demo</a>');
});

test.run();
