import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OwnObjects } from '../../bulk/divided/ownObjects.js';
import { folderStorage } from '../../bulk/index.js';
import { unitObject } from '../../bulk/unitFile.js';
import { formatHash } from '../../models/file/plan.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { temporaryFolder } from '../helpers/cli.js';
import { pseudoRandomBytes } from '../helpers/random.js';

const test = suite('bulk: what a divided tensor has beside its ranges');

const MiB = 2 ** 20;
const RANGES = 3;

async function objects() {
  const storage = await folderStorage(temporaryFolder());
  const kernels = await loadKernels();
  const own = new OwnObjects(storage, 'facts', RANGES, kernels, {});
  return { storage, kernels, own };
}

test('small pieces share an object; a large one fills it, and further objects follow those of the ranges', async () => {
  const { storage, kernels, own } = await objects();
  const pieces = [1000, 9 * MiB, 40 * MiB, 33 * MiB, 0, 17].map((size, i) => pseudoRandomBytes(size, i));
  const windows = [];
  for (const piece of pieces) windows.push(await own.add(piece));
  const keys = await own.finish();
  const numbers = windows.map((some) => [...new Set(some.map(({ object }) => object))]);
  assert.equal(numbers, [[0], [0], [0], [RANGES + 1], [], [RANGES + 2]]);
  assert.is(new Set(keys).size, 3);
  for (const [i, some] of windows.entries()) {
    let at = 0;
    for (const { object, offset, size, hash } of some) {
      const key = keys[object === 0 ? 0 : object - RANGES]!;
      const bytes = await storage.read(unitObject(key), offset, size);
      assert.ok(Buffer.from(bytes).equals(pieces[i]!.subarray(at, at + size)), `piece ${i} at ${at}`);
      assert.is(formatHash(kernels.xxh3(bytes)), hash);
      at += size;
    }
    assert.is(at, pieces[i]!.length);
  }
});

test('a second run of the same finds them written', async () => {
  const { storage, kernels, own } = await objects();
  await own.add(new Uint8Array(10));
  const keys = await own.finish();
  const created: boolean[] = [];
  const create: typeof storage.create = async (...args) => {
    const isNew = await storage.create(...args);
    created.push(isNew);
    return isNew;
  };
  const again = new OwnObjects({ ...storage, create }, 'facts', RANGES, kernels, {});
  await again.add(new Uint8Array(10));
  assert.equal(await again.finish(), keys);
  assert.equal(created, [false]);
});

test.run();
