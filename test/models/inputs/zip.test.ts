import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../../examples/digits/random.js';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import { openForeignModel } from '../../../models/inputs/foreign.js';
import { openModel } from '../../../models/openModel.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { FormatError, HolostreamError, LimitError, UnsupportedError } from '../../../src/errors.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects } from '../../helpers/assertions.js';
import { smallGguf } from '../../helpers/ggufFiles.js';
import { decodeFromModelFile } from '../../helpers/modelFiles.js';
import { pickledTensor, pickledText, pickleOf } from '../../helpers/pickles.js';
import { zipOf } from '../../helpers/zips.js';

const test = suite('archives of NumPy and PyTorch');

const inputs = new URL('../../fixtures/inputs/', import.meta.url);
const fixture = (name: string) => new Uint8Array(readFileSync(fileURLToPath(new URL(name, inputs))));

type Listed = readonly (readonly [name: string, shape: readonly number[], sha256: string])[];
const contents = JSON.parse(new TextDecoder().decode(fixture('zip/contents.json'))) as Record<string, Listed>;

async function encode(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const { files } = await openForeignModel(bytesSource(bytes), { name });
  const sink = memorySink();
  await encodeModelFile(files, sink, memoryStagingStore());
  return sink.bytes;
}

for (const [name, listed] of Object.entries(contents)) {
  test(`${name}: every tensor has the shape and bytes that it was saved with`, async () => {
    const model = await openModel(await encode(fixture(`zip/${name}`), name));
    const loaded = await model.load({ as: 'source' });
    for (const [tensor, shape, hash] of listed) {
      const found = loaded.get(tensor);
      assert.equal(found?.shape, shape, tensor);
      assert.is(createHash('sha256').update(viewBytes(found!.data)).digest('hex'), hash, tensor);
    }
    await model.close();
  });
}

for (const name of ['checkpoint.pt', 'stored.npz']) {
  test(`${name}: the same file comes back bit for bit`, async () => {
    const original = fixture(`zip/${name}`);
    const { files } = await decodeFromModelFile(await encode(original, name));
    assert.equal(Object.keys(files), [name]);
    assert.equal(files[name], original);
  });
}

test('an archive whose elements are compressed, or in another order, becomes a safetensors file', async () => {
  for (const name of ['compressed.npz', 'strided.pt', 'big-endian.pt']) {
    const { files } = await decodeFromModelFile(await encode(fixture(`zip/${name}`), name));
    assert.equal(Object.keys(files), [name.replace(/\..*/, '.safetensors')]);
  }
});

test('in it, views of one storage are tensors of their own, but for those that are the same', async () => {
  const model = await openModel(await encode(fixture('zip/strided.pt'), 'strided.pt'));
  const names = model.tensors.map(({ name }) => name);
  assert.ok(['transposed', 'whole', 'every second'].every((name) => names.includes(name)));
  assert.not(names.includes('again'));
  await model.close();
});

test('a tensor that repeats its elements must be paid for by the bytes of the file', async () => {
  // One element of F32, 2^28 times.
  const sizes = pickleOf('J', Uint8Array.of(0, 0, 0, 16), '\x85');
  const pickle = pickleOf('\x80\x02}', pickledText('w'), pickledTensor(sizes, 'K\x00\x85'), 's.');
  const archive = zipOf([
    { name: 'a/data.pkl', bytes: pickle },
    { name: 'a/data/0', bytes: new Uint8Array(4) },
  ]);
  await rejects(
    openForeignModel(bytesSource(archive), { name: 'x.pt', limits: { ratio: 4 } }),
    LimitError,
    /limits\.ratio/,
  );
});

test('a tensor that is conjugated or negated when it is read is refused: its numbers are not those of its storage', async () => {
  const archiveOf = (...flags: (string | Uint8Array)[]) => {
    const tensor = pickledTensor('K\x02\x85', 'K\x01\x85', '\x89}', ...flags);
    const bytes = pickleOf('\x80\x02}', pickledText('w'), tensor, 's.');
    return zipOf([
      { name: 'a/data.pkl', bytes },
      { name: 'a/data/0', bytes: new Uint8Array(8) },
    ]);
  };
  for (const none of [[], ['N'], ['}']]) {
    const { tensors } = await openModel(archiveOf(...none));
    assert.ok(tensors.some(({ name }) => name === 'w'));
  }
  for (const flag of ['conj', 'neg']) {
    const archive = archiveOf('}', pickledText(flag), '\x88s');
    await rejects(openModel(archive), UnsupportedError, new RegExp(`conjugated or negated.*${flag}`));
  }
});

test('a tensor that has the elements of another one is not listed twice', async () => {
  const model = await openModel(await encode(fixture('zip/checkpoint.pt'), 'checkpoint.pt'));
  const names = model.tensors.map(({ name }) => name);
  assert.ok(names.includes('model.embedding.weight'));
  assert.not(names.includes('model.head.weight'));
  await model.close();
});

const REFUSED: readonly (readonly [string, Uint8Array, new (...args: never[]) => Error, RegExp])[] = [
  [
    'a class of its own, by its name',
    fixture('zip/foreign.pt'),
    UnsupportedError,
    /names a class or function that is not loaded.*__main__\.Foreign/,
  ],
  ['an archive without tensors', fixture('zip/text.zip'), FormatError, /neither \.npy files nor data\.pkl/],
  [
    'an archive that is cut off',
    fixture('zip/stored.npz').subarray(0, 4000),
    FormatError,
    /the end of its directory is missing/,
  ],
];

for (const [what, bytes, kind, message] of REFUSED) {
  test(`refused: ${what}`, async () => {
    await rejects(openForeignModel(bytesSource(bytes)), kind, message);
  });
}

test('a pickle that calls a function is refused by its name, and nothing is called', async () => {
  const bytes = fixture('zip/foreign.pt');
  const at = Buffer.from(bytes).indexOf('__main__\nForeign');
  bytes.set(new TextEncoder().encode('posixxxx\nsystemx'), at);
  // It has no checksum.
  const directory = Buffer.from(bytes).lastIndexOf('foreign/data.pkl') - 46;
  bytes.fill(0, directory + 16, directory + 20);
  await rejects(openForeignModel(bytesSource(bytes)), UnsupportedError, /posixxxx\.systemx/);
});

test('an inflated file is no larger than the limit', async () => {
  const limits = { tensorBytes: 1000 };
  await rejects(
    openForeignModel(bytesSource(fixture('zip/compressed.npz')), { limits }),
    LimitError,
    /tensorBytes/,
  );
});

/** Every format that is opened so. */
const SEEDS: Readonly<Record<string, Uint8Array>> = {
  'checkpoint.pt': fixture('zip/checkpoint.pt'),
  'stored.npz': fixture('zip/stored.npz'),
  'compressed.npz': fixture('zip/compressed.npz'),
  'typed.onnx': fixture('onnx/typed.onnx'),
  'small.gguf': smallGguf().slice(0, 4000),
};

for (const [name, seed] of Object.entries(SEEDS)) {
  test(`${name}: damaged in a few bytes, it opens or is refused by an error of the family`, async () => {
    const random = seededRandom(1);
    const below = (count: number) => random.below(Math.max(1, count));
    for (let i = 0; i < 150; i++) {
      const bytes = seed.slice();
      for (let k = 0; k <= below(4); k++) bytes[below(bytes.length)] = below(256);
      const cut = below(4) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
      const limits = { tensorBytes: 2 ** 20 };
      const [outcome] = await Promise.allSettled([openForeignModel(bytesSource(cut), { name, limits })]);
      if (outcome!.status === 'rejected' && !(outcome!.reason instanceof HolostreamError))
        throw outcome!.reason;
    }
  });
}

test.run();
