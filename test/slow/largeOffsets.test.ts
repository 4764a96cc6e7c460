import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModelFile } from '../../models/file/encodeModelFile.js';
import { readModelFile } from '../../models/file/modelFile.js';
import { memoryStagingStore } from '../../models/file/stagingStore.js';
import { openModel } from '../../models/openModel.js';
import { fileSource } from '../../sources/file.js';
import { asBytes } from '../../src/bytes/binary.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { RandomAccessSource, SeekableSink } from '../../src/source.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { trainedLike } from '../helpers/trained.js';

/** Files of 9 GB with offsets past 4 GiB. They are sparse: the zeros take no room on the disk. */
const test = suite('offsets past 4 GiB');

const PART = 2 ** 28;
const PARTS = 36;
const SHAPE = [300, 400] as const;

const zeros = new Uint8Array(PART);
const values = trainedLike(SHAPE);
const names = Array.from({ length: PARTS }, (_, i) => `zeros${i}`);

const { header, bytes: front } = serializeSafetensorsHeader([
  ...names.map((name) => ({ name, dtype: 'U8' as const, shape: [2 ** 14, 2 ** 14] })),
  { name: 'w', dtype: 'F32', shape: SHAPE },
]);
const { offset: valuesAt } = header.tensors.at(-1)!;

const source: RandomAccessSource = {
  size: header.fileSize,
  async read(offset, length) {
    if (offset < front.length) return front.slice(offset, offset + length);
    return offset < valuesAt
      ? zeros.subarray(0, length)
      : viewBytes(values).slice(offset - valuesAt, offset - valuesAt + length);
  },
  stream() {
    throw new Error('nothing streams the source of an encoding');
  },
};

let folder: string;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-'));
});
test.after(() => rm(folder, { recursive: true }));

/** Leaves holes where zeros are written. */
async function sparseSink(path: string): Promise<SeekableSink> {
  const handle = await open(path, 'w');
  let end = 0;
  return {
    async write(input, position) {
      const bytes = asBytes(input);
      end = Math.max(end, position + bytes.length);
      if (bytes.buffer !== zeros.buffer) await handle.write(bytes, 0, bytes.length, position);
    },
    async close() {
      await handle.truncate(end);
      await handle.close();
    },
    abort: () => handle.close(),
  };
}

async function check(path: string): Promise<void> {
  assert.ok((await stat(path)).size > 9e9);
  await using model = await openModel(path);
  const { data } = (await model.load({ tensors: ['w'], as: 'source' })).get('w')!;
  assert.ok(Buffer.from(viewBytes(data)).equals(viewBytes(values)));
  const rows = await model.rows(names.at(-1)!, 2 ** 14 - 2, 2 ** 14);
  assert.ok((rows.data as Uint8Array).every((byte) => byte === 0));
}

test('plain safetensors', async () => {
  const path = join(folder, 'plain.safetensors');
  const handle = await open(path, 'w');
  await handle.write(front, 0, front.length, 0);
  await handle.write(viewBytes(values), 0, values.byteLength, valuesAt);
  await handle.close();
  await check(path);
});

test('a model file, whose fragments come last', async () => {
  const path = join(folder, 'model.holo.safetensors');
  await encodeModelFile(
    [{ name: 'model.safetensors', source }],
    await sparseSink(path),
    memoryStagingStore(),
    {
      importance: (name) => (name === 'w' ? 1 : 2 ** 40),
    },
  );
  await using file = await fileSource(path);
  const { pieces } = (await readModelFile(file)).tensors.find(({ name }) => name === 'w')!;
  assert.ok(pieces.slice(1).every(({ offset }) => offset > 9e9));
  await check(path);
  await using model = await openModel(path);
  assert.ok((await model.load({ quality: 0.5, tensors: ['w'] })).get('w')!.cosine >= 0.5);
});

test.run();
