import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeFromFile,
  decodeFromFileProgressive,
  openHoloTensor,
  readHoloTensor,
} from '../../readers/holotensorFiles.js';
import { encodeToFile, writeHoloTensor } from '../../sinks/holotensorFile.js';
import { SourceError, TruncatedError } from '../../src/errors.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects } from '../helpers/assertions.js';
import { noise } from '../helpers/random.js';

const test = suite<{ folder: string }>('HoloTensor files');

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'holostream-'));
});
afterEach(test, async ({ folder }) => {
  await rm(folder, { recursive: true });
});

const tensor = { dtype: 'F32', shape: [50, 40], data: noise(2000) } as const;

test('a tensor to a file and back, whole or to a quality', async ({ folder }) => {
  const path = join(folder, 'tensor.holo');
  const qualities = [0.5, 0.9, 0.95, 0.99];
  const size = await encodeToFile(path, tensor, 'embedded', { qualities, compression: 'lz4' });
  const whole = await decodeFromFile(path);
  assert.equal(whole.data, tensor.data);
  assert.equal(whole.shape, tensor.shape);
  const { cosines } = new HoloTensorEncoder('embedded', { qualities }).encode(tensor.data, tensor.shape);
  const enough = await decodeFromFileProgressive(path, 0.95);
  assert.ok(enough.quality.cosine! >= 0.95 && !enough.complete);
  assert.is(enough.fragments, 1 + cosines.findIndex((cosine) => cosine >= 0.95));
  assert.equal(await readdir(folder), ['tensor.holo']);

  const { header, fragments } = await readHoloTensor(path);
  assert.is(
    await writeHoloTensor(join(folder, 'copy.holo'), header, fragments, { compression: 'lz4' }),
    size,
  );
  const reader = await openHoloTensor(join(folder, 'copy.holo'));
  assert.equal((await reader.readFragment(1)).data, fragments[1]!.data);
  await reader.close();
  await rejects(reader.readFragment(1), SourceError);
});

test('a file that is cut short, or is not there', async ({ folder }) => {
  const path = join(folder, 'short.holo');
  const size = await encodeToFile(path, tensor, 'spectral');
  await truncate(path, size - 1);
  await rejects(decodeFromFile(path), TruncatedError);
  await truncate(path, 50);
  await rejects(openHoloTensor(path), TruncatedError);
  await rejects(openHoloTensor(join(folder, 'none.holo')), SourceError);
});

test.run();
