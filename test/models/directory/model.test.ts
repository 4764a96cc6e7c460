import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../../models/directory/encodeModel.js';
import { MANIFEST_NAME, type ManifestTensor } from '../../../models/directory/manifest.js';
import { openModel } from '../../../models/openModel.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import {
  ArgumentError,
  ChecksumError,
  FormatError,
  LimitError,
  TruncatedError,
} from '../../../src/errors.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { rejects } from '../../helpers/assertions.js';
import { concatBytes } from '../../helpers/bytes.js';
import {
  checkModelDirectory,
  encodeToMemory,
  type Files,
  openFromMemory,
} from '../../helpers/checks/modelDirectory.js';
import { HOSTILE_TENSORS, modelOf } from '../../helpers/models.js';
import { TRAINED_FILES } from '../../helpers/trained.js';

const test = suite('model directory');

/** The files with one field of a tensor in the manifest changed, and without the headers that contradict it. */
function tampered(files: Files, index: number, change: Partial<ManifestTensor>): Files {
  const manifest = JSON.parse(new TextDecoder().decode(files.get(MANIFEST_NAME)));
  Object.assign(manifest.tensors[index], change);
  delete manifest.files;
  return new Map(files).set(MANIFEST_NAME, new TextEncoder().encode(JSON.stringify(manifest)));
}

const hostile = modelOf(
  HOSTILE_TENSORS,
  new Map([
    ['note', 'text'],
    ['__proto__', 'x'],
  ]),
);

for (const options of [
  {},
  { version: 1, algorithm: 'zstd', blockChecksums: false },
  { algorithm: 'zstd', blockSize: 1000, level: 1 },
] as const) {
  test(`every dtype and any name comes back: ${JSON.stringify(options)}`, async () => {
    await checkModelDirectory(await encodeToMemory(hostile, options), hostile);
  });
}

test('a model whose file has a name that is no plain one is a directory, too, without that name', async () => {
  const bytes = modelOf([{ name: 'w', dtype: 'F32', shape: [8] }]);
  for (const name of ['a/b.safetensors', 'x\u001b[31m.safetensors', '..', '']) {
    const files = await encodeToMemory({ [name]: bytes });
    assert.is((await openFromMemory(files)).manifest.files, undefined);
    await checkModelDirectory(files, bytes);
  }
});

for (const [name, model] of Object.entries(TRAINED_FILES)) {
  test(`trained weights come back bit for bit: ${name}`, async () => {
    await checkModelDirectory(await encodeToMemory(model), model);
  });
}

test('an empty model is a manifest', async () => {
  const files = await encodeToMemory(modelOf([]));
  assert.equal([...files.keys()], [MANIFEST_NAME]);
  assert.equal((await openFromMemory(files)).manifest.tensors, []);
});

test('progress counts every byte of the tensors', async () => {
  let bytes = 0;
  await encodeToMemory(hostile, {
    onProgress: (more) => {
      bytes += more;
    },
  });
  const { fileSize, byteLength } = parseSafetensorsHeader(hostile);
  assert.is(bytes, fileSize - byteLength);
});

test('a truncated model fails, and the sink of the tensor is aborted', async () => {
  const events: string[] = [];
  const truncated = bytesSource(hostile.subarray(0, hostile.length - 10));
  // A source that does not know its size finds out only when it gets there.
  const model = { stream: truncated.stream, read: truncated.read, size: undefined };
  const opened = encodeModel(model, async (name) => {
    const sink = memorySink();
    return { ...sink, abort: async () => void events.push(name) };
  });
  await rejects(opened, TruncatedError);
  assert.equal(events, ['large.hct']);
});

test('an abort ends it', async () => {
  const stop = new AbortController();
  const opened = encodeToMemory(hostile, {
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  });
  await rejects(opened, Error, /enough/);
});

test('what the manifest claims is checked', async () => {
  const files = await encodeToMemory(hostile);
  const read = async (changed: Files, index: number) => {
    const reader = await openFromMemory(changed);
    return reader.read(reader.manifest.tensors[index]!.name);
  };
  await rejects(
    read(tampered(files, 0, { xxh3: '0'.repeat(16) }), 0),
    ChecksumError,
    /^Cannot use the bytes of the tensor: wrong hash/,
  );
  await rejects(
    read(tampered(files, 8, { xxh3: '0'.repeat(16) }), 8),
    ChecksumError,
    /^Cannot use the bytes of the tensor: wrong hash/,
  );
  await rejects(read(tampered(files, 0, { fileSize: 5 }), 0), FormatError, /size \(.*\): expected 5/);
  await rejects(read(tampered(files, 8, { fileSize: 5 }), 8), FormatError, /size \(.*\): expected 5/);
  await rejects(
    read(tampered(files, 0, { shape: [3, 6], byteLength: 72 }), 0),
    FormatError,
    /expected F32, 72/,
  );
  await rejects(
    read(tampered(files, 0, { dtype: 'I32' }), 0),
    FormatError,
    /expected I32, 60 bytes, got F32/,
  );
  await rejects(read(tampered(files, 8, { shape: [5], byteLength: 40 }), 8), TruncatedError);
  await rejects(
    read(tampered(files, 0, { shape: [2 ** 40], byteLength: 2 ** 42 }), 0),
    LimitError,
    /limits\.tensorBytes/,
  );
});

/** The same files, opened by the façade. */
const openAll = (files: Files) => openModel(async (name: string) => bytesSource(files.get(name)!));

test('a file of another size, or of another tensor, is refused: read, loaded, and by rows', async () => {
  const files = await encodeToMemory(hostile);
  const names = [HOSTILE_TENSORS[0]!.name, HOSTILE_TENSORS[8]!.name];
  const { tensors } = (await openFromMemory(files)).manifest;
  const fileOf = (name: string) => tensors.find((tensor) => tensor.name === name)!.file;
  const longer = new Map(files);
  for (const name of names)
    longer.set(fileOf(name), concatBytes([files.get(fileOf(name))!, Uint8Array.of(0)]));
  const other = new Map(files).set(fileOf(names[0]!), files.get(fileOf('a_b'))!);
  for (const name of names) {
    await rejects((await openFromMemory(longer)).read(name), FormatError, /wrong size/);
    await rejects((await openAll(longer)).load({ tensors: [name] }), FormatError, /wrong size/);
    await rejects((await openAll(longer)).rows(name, 0, 1), FormatError, /wrong size/);
  }
  await rejects((await openAll(other)).rows(names[0]!, 0, 1), FormatError, /holds another one/);
});

test('rows of tensors whose rank a file cannot hold', async () => {
  const files = await encodeToMemory(hostile, { version: 1 });
  const model = await openAll(files);
  const whole = (await model.load({ as: 'source', tensors: ['a_b'] })).get('a_b')!;
  const { shape, data } = await (await openAll(files)).rows('a_b', 1, 2);
  assert.equal(shape, [1, 3, 4, 5]);
  assert.equal(data, (whole.data as Uint16Array).slice(60, 120));
});

test('a flipped bit in any file is found', async () => {
  const files = await encodeToMemory(hostile);
  const { tensors } = (await openFromMemory(files)).manifest;
  for (const { name, file, byteLength } of tensors) {
    if (byteLength === 0) continue;
    const bytes = files.get(file)!.slice();
    bytes[Math.floor(bytes.length * 0.8)]! ^= 4;
    await rejects((await openFromMemory(new Map(files).set(file, bytes))).read(name), FormatError);
  }
});

test('an unknown tensor is an error of the caller', async () => {
  const reader = await openFromMemory(await encodeToMemory(hostile));
  await rejects(reader.read('nothing'), ArgumentError, /nothing/);
});

/** A header in an order of its own, with spaces in it and behind it, and another file beside it. */
function unusual(): readonly { readonly name: string; readonly bytes: Uint8Array }[] {
  const json =
    '{ "b": {"shape": [2], "data_offsets": [4, 12], "dtype": "F32"},\t"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}, "__metadata__":{"x":"\\u0079"}}   ';
  const bytes = new Uint8Array(8 + json.length + 12).fill(7);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(new TextEncoder().encode(json), 8);
  return [
    { name: 'model-1.safetensors', bytes },
    { name: 'model 2.safetensors', bytes: modelOf([{ name: 'c', dtype: 'F32', shape: [3, 3] }]) },
  ];
}

test('the files that it was made from come back bit for bit, their headers and names, too', async () => {
  const originals = unusual();
  for (const count of [1, 2]) {
    const made = originals.slice(0, count);
    const model = await openAll(
      await encodeToMemory(Object.fromEntries(made.map(({ name, bytes }) => [name, bytes]))),
    );
    assert.equal(
      model.files,
      made.map(({ name }) => name),
    );
    for (const { name, bytes } of made) {
      const file = await model.file({ name });
      assert.equal(await file.read(0, file.size), bytes);
    }
  }
});

test('a directory of before, whose manifest has no headers, is the safetensors file that it decodes to', async () => {
  const files = tampered(await encodeToMemory(hostile), 0, {});
  const model = await openAll(files);
  assert.equal(model.files, ['model.safetensors']);
  const file = await model.file();
  const again = parseSafetensorsHeader(await file.read(0, file.size));
  assert.equal(again.tensors.length, HOSTILE_TENSORS.length);
});

test('headers that would make the manifest longer than its limit are left out', async () => {
  const whole = await encodeToMemory(hostile);
  const limits = { manifestBytes: whole.get(MANIFEST_NAME)!.length - 1 };
  const files = await encodeToMemory(hostile, { limits });
  assert.ok(files.get(MANIFEST_NAME)!.length < limits.manifestBytes);
  assert.equal((await openAll(whole)).files, (await openAll(files)).files);
  assert.is((await openFromMemory(whole)).manifest.files?.length, 1);
  assert.is((await openFromMemory(files)).manifest.files, undefined);
});

test('headers in the manifest that are not those of its tensors are refused', async () => {
  const files = await encodeToMemory(hostile);
  const manifest = () => JSON.parse(new TextDecoder().decode(files.get(MANIFEST_NAME)));
  const [{ header }] = manifest().files;
  const other = new TextDecoder().decode(unusual()[1]!.bytes.subarray(8, -36));
  for (const [wrong, pattern] of [
    [[], /do not have the tensors/],
    [[{ name: 'a', header: other }], /do not have the tensors/],
    [
      [
        { name: 'a', header },
        { name: 'b', header: other },
      ],
      /do not have the tensors.*tensor c/,
    ],
    [[{ name: 'a', header: 'x' }], /header/],
    [[{ name: '../a', header }], /not plain/],
    [
      [
        { name: 'a', header },
        { name: 'a', header: other },
      ],
      /the same name/,
    ],
    [[{ name: 'a' }], /list of source files is invalid/],
    ['a', /list of source files is not an array/],
    [[null], /list of source files has a member that is not an object/],
  ] as const) {
    const text = JSON.stringify({ ...manifest(), files: wrong });
    const changed = new Map(files).set(MANIFEST_NAME, new TextEncoder().encode(text));
    await rejects(openAll(changed), FormatError, pattern);
  }
});

test('a manifest that is not text is refused', async () => {
  await rejects(openFromMemory(new Map([[MANIFEST_NAME, new Uint8Array([0xff])]])), FormatError, /not UTF-8/);
});

test.run();
