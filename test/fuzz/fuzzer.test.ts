import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FieldReader } from '../../src/bytes/fieldReader.js';
import { concatBytes } from '../helpers/bytes.js';
import { Random } from '../helpers/random.js';
import { countAllocations } from './allocations.js';
import { BlockCoverage } from './coverage.js';
import { readFinding, saveFinding } from './findings.js';
import { joined, mutate } from './mutate/mutate.js';
import { type Target, WHOLE } from './target.js';

countAllocations();
const { Fuzzer } = await import('./fuzzer.js');
const { judge, learn } = await import('./judge.js');
const { DISAGREEING, plantedTarget } = await import('./planted.js');
const { targetsNamed } = await import('./targets/index.js');

const test = suite('fuzzer');

const BAD = Uint8Array.of(1, 1, 2);
let folder: string;

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'holostream-fuzzer-'));
});

test.after(() => {
  rmSync(folder, { recursive: true });
});

for (const [name, pattern] of Object.entries({
  throws: /throws TypeError: planted/,
  argument: /ArgumentError for what a file says/,
  message: /bad message: "Cannot read \\u001b/,
  writes: /written outside an output array/,
  changes: /the input was changed/,
  allocates: /requests 1638\d bytes of memory, the bound is 8192/,
  slow: /takes \d+\.\d s/,
  sticks: /after a refusal, planted no longer reads good/,
})) {
  test(`a planted fault is found: ${name}`, async () => {
    const target = plantedTarget(name);
    await learn(target);
    assert.match((await judge(target, BAD)).fault!, pattern);
  });
}

test('ways that disagree are found, and damage that is not noticed', async () => {
  await learn(DISAGREEING);
  assert.match((await judge(DISAGREEING, BAD)).fault!, /disagree \(one accepts, one refuses\)/);
  const target = plantedTarget('unsealed');
  await learn(target);
  assert.is((await judge(target, BAD)).fault, undefined);
  const { fault } = await judge(target, BAD, target.seeds[0]);
  assert.match(fault!, /a damaged copy of good is read as something else: bytes/);
});

test('a sound target has no fault, and says whether it accepts', async () => {
  const target = plantedTarget('sound');
  await learn(target);
  assert.equal((await judge(target, target.seeds[0]!.bytes)).accepted, true);
  const { fault, accepted, outcome } = await judge(target, BAD);
  assert.equal([fault, accepted], [undefined, false]);
  assert.match(outcome, /FormatError, Cannot read the input/);
});

/** Code that is reached only by three bytes of certain values. */
const MAZE = `export function walk(bytes) {
  let depth = 0;
  if (bytes[1] === 0x4d) {
    depth += 1;
    if (bytes[2] === 0x41) {
      depth += 1;
      if (bytes[3] === 0x5a) throw new Error('the end of the maze');
    }
  }
  return depth;
}`;

test('coverage guides it to code that chance does not reach', async () => {
  const source = join(folder, 'src');
  mkdirSync(source);
  writeFileSync(join(source, 'maze.mjs'), MAZE);
  const coverage = new BlockCoverage(folder);
  const { walk } = await import(pathToFileURL(join(source, 'maze.mjs')).href);
  const target: Target = {
    name: 'maze',
    seeds: [{ name: 'entrance', bytes: new Uint8Array(5), sealed: false }],
    anatomy: WHOLE,
    ways: [{ name: 'walk', read: (input) => ({ facts: String(walk(input)) && '' }) }],
    memory: () => 2 ** 20,
  };
  let fault: string | undefined;
  const fuzzer = new Fuzzer([target], 2, coverage, {
    mutating: () => {},
    before: () => {},
    found: (_, __, found) => {
      fault = found;
    },
  });
  await fuzzer.begin(() => []);
  // By chance it would take tens of millions of inputs.
  while (fault === undefined && fuzzer.stats.targets[0]!.inputs < 300_000) await fuzzer.round(0);
  assert.match(fault!, /the end of the maze/);
  const kept = await fuzzer.reduced('maze');
  assert.ok(kept.length >= 2 && kept.length <= 8, `${kept.length} inputs lead through the maze`);
});

test('a finding is a file whose name says how to read it', () => {
  const finding = { target: 'hct', seed: 'tiny', input: Uint8Array.of(1, 2, 3) };
  const command = saveFinding(finding, folder);
  const path = join(process.cwd(), command.replace('npm run fuzz -- --replay ', ''));
  assert.ok(existsSync(path));
  assert.equal(readFinding(path), finding);
  const other = saveFinding({ ...finding, seed: undefined }, folder);
  assert.match(other, /hct\.any\.[0-9a-f]{12}$/);
});

test('taking an input apart and putting it together changes nothing', async () => {
  for (const { name, seeds, anatomy } of await targetsNamed(undefined)) {
    for (const { name: seed, bytes, sealed } of seeds) {
      const join = (sizes: boolean) => Buffer.from(anatomy.join(anatomy.split(bytes), sizes));
      assert.ok(join(false).equals(bytes), `${name}, ${seed}`);
      if (sealed) assert.ok(join(true).equals(bytes), `${name}, ${seed}: sizes`);
    }
  }
});

test('parts of any bytes can be put together, or are refused, and it ends', async () => {
  // Numbers of variable length go on for as long as the highest bits are set.
  const run = new Uint8Array(300).fill(0xff);
  for (const { seeds, anatomy } of await targetsNamed(undefined)) {
    for (const { bytes } of seeds) {
      const parts = anatomy.split(bytes);
      for (const [at, part] of parts.slice(0, 8).entries()) {
        for (const kept of [0, 1, 2, 3, 8]) {
          const longer = parts.with(at, { ...part, bytes: concatBytes([part.bytes.subarray(0, kept), run]) });
          for (const sizes of [false, true]) {
            const whole = joined(anatomy, longer, sizes);
            if (whole !== undefined) joined(anatomy, anatomy.split(whole), sizes);
          }
        }
      }
    }
  }
});

test('payloads of the embedded encoding come apart into their units, which may be cut', async () => {
  const [{ seeds, anatomy }] = (await targetsNamed('embedded')) as [Target];
  let cut = 0;
  for (const { name, bytes } of seeds) {
    const parts = anatomy.split(bytes);
    assert.ok(Buffer.from(anatomy.join(parts, true)).equals(bytes), name);
    for (const [i, part] of parts.entries()) {
      if (part.kind !== 'head') continue;
      const fields = new FieldReader(part.bytes.subarray(1), 'head');
      const [count, groups] = [fields.varint(), fields.varint()];
      const end = parts.findIndex(({ kind }, k) => k > i && kind === 'length');
      const units = parts.slice(i, end < 0 ? undefined : end).filter(({ kind }) => kind === 'unit');
      assert.is(units.length, count, name);
      if (groups > 0) cut += 1;
    }
  }
  assert.ok(cut > 0);
});

test('mutations get past checksums', async () => {
  for (const { name, seeds, anatomy, ways } of await targetsNamed(undefined)) {
    if (!seeds.some(({ sealed }) => sealed)) continue;
    const random = new Random(1);
    const target = { anatomy, ways, name };
    let [accepted, mismatches] = [0, 0];
    for (let i = 0; i < 200; i++) {
      const input = mutate(target.anatomy, random.pick(seeds).bytes, random.pick(seeds).bytes, random);
      try {
        await ways[0]!.read(input, undefined as never);
        accepted += 1;
      } catch (error) {
        if ((error as Error).name === 'ChecksumError') mismatches += 1;
      }
    }
    assert.ok(accepted >= 5, `${name}: ${accepted} of 200 are accepted`);
    assert.ok(mismatches < 120, `${name}: ${mismatches} of 200 have a wrong checksum`);
  }
});

test.run();
