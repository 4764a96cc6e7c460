import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('docs/compatibility.md');

const root = new URL('../../', import.meta.url);
const groups = readdirSync(new URL('test/runtimes/', root)).filter((name) =>
  existsSync(new URL(`test/runtimes/${name}/package.json`, root)),
);
const rows = readFileSync(new URL('docs/compatibility.md', root), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'));

/** What the groups install beside the tools that they test. */
const HELPERS = ['rxjs', '@types/node'];

for (const group of groups) {
  test(`lists the tools of ${group} in the versions of its lockfile`, () => {
    const folder = new URL(`test/runtimes/${group}/`, root);
    const manifest = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
    const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', folder), 'utf8'));
    const tools = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    for (const tool of tools.filter((name) => !HELPERS.includes(name))) {
      const { version } = packages[`node_modules/${tool}`];
      const name = tool.replace(/-.*/, '');
      const listed = rows.some((row) => row.toLowerCase().includes(name) && row.includes(version));
      assert.ok(listed, `${tool} ${version}`);
    }
  });

  test(`${group} installs the packages of its lockfile from whichever registry`, () => {
    const file = fileURLToPath(new URL(`test/runtimes/${group}/package-lock.json`, root));
    assert.not.match(readFileSync(file, 'utf8'), '"resolved"');
  });
}

test.run();
