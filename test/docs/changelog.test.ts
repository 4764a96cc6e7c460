import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exportedNames } from '../helpers/exportedNames.js';

const test = suite('CHANGELOG');
const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const changelog = read('CHANGELOG.md');
const exported = await exportedNames();

test('every name of 0.1.0 is where it was, or the changelog says what became of it', () => {
  const before: Record<string, string[]> = JSON.parse(read('test/exportedNames-0.1.0.json'));
  for (const [entry, names] of Object.entries(before)) {
    for (const name of names)
      assert.ok(exported[entry]!.includes(name) || changelog.includes(`\`${name}\``), `${name} of ${entry}`);
  }
});

test('what it calls renamed or moved is exported there', () => {
  const renamed = Array.from(changelog.matchAll(/^\| `\w+` \| `(\w+)` \| `([\w/]+)` \|$/gm));
  assert.ok(renamed.length >= 19);
  for (const [, name, entry] of renamed) assert.ok(exported[entry!]!.includes(name!), `${name} of ${entry}`);
  const moved = Array.from(changelog.matchAll(/^\| `(holostream\/\w+)` \| (`\w+`(?:, `\w+`)*) \|$/gm));
  assert.ok(moved.length >= 4);
  for (const [, entry, names] of moved) {
    for (const [, name] of names!.matchAll(/`(\w+)`/g))
      assert.ok(exported[entry!]!.includes(name!), `${name} of ${entry}`);
  }
});

test('it states how many names the main entry exports', () => {
  assert.ok(changelog.includes(`exports ${exported.holostream!.length} values`));
});

test.run();
