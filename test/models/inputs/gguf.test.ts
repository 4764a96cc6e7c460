import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import { readModelFile } from '../../../models/file/modelFile.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import { openForeignModel } from '../../../models/inputs/foreign.js';
import { openModel } from '../../../models/openModel.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ArgumentError, FormatError, LimitError, UnsupportedError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { smallGguf } from '../../helpers/ggufFiles.js';
import { ggufOf } from '../../helpers/ggufWriter.js';
import { decodeFromModelFile } from '../../helpers/modelFiles.js';

const test = suite('GGUF files');

const file = smallGguf();

async function encode(bytes: Uint8Array): Promise<Uint8Array> {
  const { files, beside } = await openForeignModel(bytesSource(bytes), { name: 'm.gguf' });
  assert.equal(beside, []);
  const sink = memorySink();
  await encodeModelFile(files, sink, memoryStagingStore());
  return sink.bytes;
}

for (const alignment of [undefined, 8, 4096]) {
  test(`the same file comes back bit for bit (alignment ${alignment ?? 'not stated'})`, async () => {
    const original = smallGguf(alignment);
    const { files } = await decodeFromModelFile(await encode(original));
    assert.equal(Object.keys(files), ['m.gguf']);
    assert.equal(files['m.gguf'], original);
  });
}

test('tensors of numbers are cut and have their shapes, quantized ones are bytes, the head comes first', async () => {
  const encoded = await encode(file);
  const model = await openModel(encoded);
  const tensors = new Map(model.tensors.map((one) => [one.name, one]));
  // The head is what is around them.
  assert.ok([...tensors.keys()].every((name) => !name.startsWith('m.gguf:')));
  assert.equal(
    [tensors.get('token_embd.weight')!.dtype, tensors.get('token_embd.weight')!.shape],
    ['F32', [50, 64]],
  );
  assert.is(tensors.get('blk.0.attn_q.weight')!.dtype, 'F16');
  assert.is(tensors.get('blk.0.attn_k.weight')!.dtype, 'BF16');
  assert.is(tensors.get('blk.0.ffn_up.weight')!.dtype, 'U8');
  assert.ok(tensors.get('blk.0.ffn_up.weight')!.byteLength >= 66 * 34);
  const loaded = await model.load();
  const embedding = new Float32Array(3200).map((_, i) => Math.sin(i) * 0.1);
  assert.equal(loaded.get('token_embd.weight')!.data, embedding);
  await model.close();
});

test('at a lower quality, everything but the numbers is that of the file', async () => {
  const encoded = await encode(file);
  const model = await openModel(encoded);
  assert.equal(model.files, ['m.gguf']);
  const rough = await model.file({ quality: 0.9 });
  assert.is(rough.size, file.length);
  assert.ok(rough.quality! >= 0.9 && rough.quality! < 1);
  const bytes = await rough.read(0, rough.size);
  const differ = bytes.findIndex((byte, i) => byte !== file[i]);
  const { tensors } = await readModelFile(bytesSource(encoded));
  assert.is(tensors[0]!.name, 'm.gguf:0');
  const head = tensors[0]!.byteLength;
  assert.ok(head > 65536);
  assert.ok(differ >= head, `${differ}`);
  // Blocks are at the end.
  assert.equal(bytes.subarray(-6 * 34 - 20), file.subarray(-6 * 34 - 20));
  const exact = await model.file();
  assert.equal(await exact.read(0, exact.size), file);
  await model.close();
});

const REFUSED: readonly (readonly [string, Uint8Array, new (...args: never[]) => Error, RegExp])[] = [
  ['version 1', patched(4, [1]), UnsupportedError, /its version, or its order of bytes, is not supported/],
  ['big-endian numbers', patched(4, [0, 0, 0, 3]), UnsupportedError, /its order of bytes/],
  ['2^40 tensors', patched(8, [0, 0, 0, 0, 0, 1]), LimitError, /limits\.tensors/],
  ['2^60 values', patched(16, [0, 0, 0, 0, 0, 0, 0, 16]), FormatError, /too large/],
  ['a key of 2^40 bytes', patched(24, [0, 0, 0, 0, 0, 1]), LimitError, /a name is too long/],
  ['an unknown type of a value', patched(24 + 8 + 20, [77]), FormatError, /a type that is not known/],
  ['an end within the head', file.subarray(0, 70_000), FormatError, /it ends too early|longer than the file/],
  [
    'an end within a tensor',
    file.subarray(0, file.length - 8000),
    FormatError,
    /it ends before a tensor does/,
  ],
  [
    'an alignment of 3',
    ggufOf({ 'general.alignment': 3 }, []),
    FormatError,
    /its alignment is not a multiple of 8/,
  ],
  [
    'two tensors of one name',
    ggufOf(
      {},
      [0, 1].map(() => ({ name: 'a', dimensions: [8], type: 0, bytes: new Uint8Array(32) })),
    ),
    FormatError,
    /two of its tensors have the same name/,
  ],
  [
    'a tensor longer than its place',
    ggufOf({}, [
      { name: 'a', dimensions: [9], type: 0, bytes: new Uint8Array(32) },
      { name: 'b', dimensions: [8], type: 0, bytes: new Uint8Array(32) },
    ]),
    FormatError,
    /two of its tensors overlap/,
  ],
  [
    'a thousand dimensions',
    ggufOf({}, [{ name: 'a', dimensions: Array<number>(1000).fill(1), type: 0, bytes: new Uint8Array(4) }]),
    LimitError,
    /limits\.rank/,
  ],
  [
    'a tensor of 2^51 bytes',
    ggufOf({}, [{ name: 'a', dimensions: [2 ** 20, 2 ** 29], type: 0, bytes: new Uint8Array(4) }]),
    FormatError,
    /a tensor is too large/,
  ],
];

function patched(at: number, bytes: readonly number[]): Uint8Array {
  const copy = file.slice();
  copy.set(bytes, at);
  return copy;
}

for (const [what, bytes, kind, message] of REFUSED) {
  test(`refused: ${what}`, async () => {
    await rejects(openForeignModel(bytesSource(bytes)), kind, message);
  });
}

test('a head is no larger than limits.headerBytes, whether it is read or skipped', async () => {
  for (const values of [
    { a: new Float32Array(1000) },
    { a: Array<string>(500).fill('') },
    { ['a'.repeat(4000)]: 1 },
  ]) {
    const open = (headerBytes: number) =>
      openForeignModel(bytesSource(ggufOf(values, [])), { limits: { headerBytes } });
    await rejects(open(3000), LimitError, /limits\.headerBytes/);
    await open(5000);
  }
});

test('a layout that is not that of the file is refused', async () => {
  const source = bytesSource(new Uint8Array(10));
  const layout = [{ name: 'a', dtype: 'U8', shape: [9] }] as const;
  const files = [{ name: 'a', source, layout }];
  await rejects(
    encodeModelFile(files, memorySink(), memoryStagingStore()),
    ArgumentError,
    /not as long as the file/,
  );
});

test.run();
