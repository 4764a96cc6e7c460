import { readdirSync, statSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { countAllocations } from './allocations.js';
import { readCorpus } from './corpus.js';

countAllocations();
const { judge, learn } = await import('./judge.js');
const { targetsNamed } = await import('./targets/index.js');

const test = suite('corpus of the fuzzer');

/** All files together, so that a clone stays small. */
const MAX_BYTES = 320_000;

const folder = new URL('corpus/', import.meta.url);
const targets = await targetsNamed(undefined);

test('every target has a file, and no other file is there', () => {
  const names = readdirSync(folder).sort();
  assert.equal(names, targets.map(({ name }) => `${name}.txt`).sort());
  const bytes = names.reduce((sum, name) => sum + statSync(new URL(name, folder)).size, 0);
  assert.ok(bytes < MAX_BYTES, `${bytes} bytes`);
});

for (const target of targets) {
  test(`${target.name}: nothing is wrong with any input`, async () => {
    await learn(target);
    for (const input of readCorpus(target.name)) assert.is((await judge(target, input)).fault, undefined);
  });
}

test.run();
