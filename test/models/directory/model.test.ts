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

/** The files with one field of the manifest changed. */
function tampered(files: Files, index: number, change: Partial<ManifestTensor>): Files {
  const manifest = JSON.parse(new TextDecoder().decode(files.get(MANIFEST_NAME)));
  Object.assign(manifest.tensors[index], change);
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

test('a manifest that is not text is refused', async () => {
  await rejects(openFromMemory(new Map([[MANIFEST_NAME, new Uint8Array([0xff])]])), FormatError, /not UTF-8/);
});

test.run();
