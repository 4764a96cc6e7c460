import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { MANIFEST_NAME } from '../../models/directory/manifest.js';
import { HolostreamError } from '../../src/errors.js';
import { parseQuantizationMetadata } from '../../src/tensor/quantization.js';
import { Arena } from './arena.js';
import type { Seed, Target } from './target.js';
import { pack, unpack } from './targets/archive.js';
import { targetsNamed } from './targets/index.js';
import { readU16 } from './targets/numbers.js';

async function isNoticed({ ways }: Target, input: Uint8Array): Promise<boolean> {
  try {
    await ways[0]!.read(input, new Arena(input, 0));
    return false;
  } catch (error) {
    assert.instance(error, HolostreamError);
    return true;
  }
}

/** Calls back with every bit of `bytes`, flipped. */
async function forFlips(
  bytes: Uint8Array,
  work: (flipped: Uint8Array, bit: number) => Promise<void>,
): Promise<void> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = new Uint8Array(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await work(flipped, bit);
  }
}

/** The bits that go unnoticed are those that the documentation says nothing protects: all of them, and no other. */
function flipAll(
  test: Test,
  target: Target,
  seed: Seed,
  isOpen: (bit: number, flipped: Uint8Array) => boolean,
): void {
  test(`${target.name}, ${seed.name}: only what the documentation names goes unnoticed`, async () => {
    assert.is(await isNoticed(target, seed.bytes), false);
    await forFlips(seed.bytes, async (flipped, bit) => {
      const open = isOpen(bit, flipped);
      assert.is(
        await isNoticed(target, flipped),
        !open,
        `byte ${bit >> 3}, bit ${bit & 7} of ${seed.bytes.length} bytes`,
      );
    });
  });
}

/** docs/formats/holotensor.md, "Integrity": quantization metadata, and the flags of entries that mean nothing. */
function isOpenInHoloTensor(bit: number, flipped: Uint8Array): boolean {
  const metadata = (readU16(flipped, 10) & 0x0004) === 0 ? 0 : 8;
  const at = (bit >> 3) - 96;
  if (at >= 0 && at < metadata) return isMetadata(flipped);
  const index = at - metadata;
  const fragments = readU16(flipped, 12);
  const isFlag = index >= 0 && index < 24 * fragments && [2, 3].includes(index % 24);
  return isFlag && !(index % 24 === 2 && (bit & 7) < 2);
}

function isMetadata(file: Uint8Array): boolean {
  try {
    parseQuantizationMetadata(file, 96);
    return true;
  } catch {
    return false;
  }
}

/** @param choose the files of a target whose bits are flipped, of those whose every byte is under a checksum */
export async function testFlips(
  test: Test,
  choose: (seeds: readonly Seed[]) => readonly Seed[],
): Promise<void> {
  const targets = await targetsNamed(undefined);
  for (const target of targets) {
    const isHoloTensor = target.name.startsWith('holotensor-');
    // HCT with all checksums, model files, staging stores and entries of caches have no open bit.
    if (!isHoloTensor && !['hct', 'model-file', 'staging', 'cache-entry'].includes(target.name)) continue;
    const seeds = choose(target.seeds.filter(({ sealed }) => sealed));
    assert.ok(seeds.length > 0, target.name);
    for (const seed of seeds) flipAll(test, target, seed, isHoloTensor ? isOpenInHoloTensor : () => false);
  }
  const directory = targets.find(({ name }) => name === 'directory')!;
  // Some bytes of the headers of version 1 mean nothing; the hash of the manifest covers what the others say.
  const sealed = directory.seeds.filter(({ name }) => name !== 'version-1');
  for (const seed of choose(sealed)) flipDirectory(test, directory, seed);
}

/** docs/formats/model-directory.md, "Integrity": the lines of the manifest that may change unnoticed. */
const OPEN_LINES =
  /^ {6}"name": |^ {6}"shape": |^ {8}\d|^ {2}"metadata": |^ {4}"format": |^ {2}}|^ {2}"files": |^ {6}"header": /;

function flipDirectory(test: Test, target: Target, seed: Seed): void {
  test(`directory, ${seed.name}: only names, shapes and metadata of the manifest go unnoticed`, async () => {
    const files = unpack(seed.bytes);
    const open = new Set<string>();
    for (const [name, file] of files) {
      await forFlips(file, async (flipped, bit) => {
        if (await isNoticed(target, pack(new Map(files).set(name, flipped)))) return;
        assert.is(name, MANIFEST_NAME, `byte ${bit >> 3} of ${name}`);
        open.add(lineAt(file, bit >> 3));
      });
    }
    for (const line of open) assert.match(line, OPEN_LINES);
    // Of the files that it was made of, at least.
    assert.ok([...open].some((line) => line.includes('"name"')));
  });
}

function lineAt(file: Uint8Array, offset: number): string {
  const text = new TextDecoder().decode(file);
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return text.slice(start).split('\n')[0]!;
}
