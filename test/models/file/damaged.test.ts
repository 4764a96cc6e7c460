import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../../models/directory/encodeModel.js';
import { parseManifest, serializeManifest } from '../../../models/directory/manifest.js';
import { decodeModelFile } from '../../../models/file/decodeModelFile.js';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import { parseModelFile, readModelFile } from '../../../models/file/modelFile.js';
import { formatHash, type SourceFile } from '../../../models/file/plan.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import { readFirstPiece } from '../../../models/file/tensorDecoder.js';
import { openModel } from '../../../models/openModel.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import {
  ArgumentError,
  ChecksumError,
  FormatError,
  HolostreamError,
  TruncatedError,
} from '../../../src/errors.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { serializeSafetensorsHeader } from '../../../src/safetensors/serialize.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { decodeFromModelFile, encodeToModelFile, modelFileOf } from '../../helpers/modelFiles.js';
import { withPlan } from '../../helpers/modelPlans.js';
import { modelOf } from '../../helpers/models.js';
import { runsOf } from '../../helpers/runs.js';
import { safetensorsOf } from '../../helpers/safetensors.js';

const test = suite('damaged model files');

/** Few different numbers: the file is small enough to flip every bit of it. */
const model = modelOf(
  [
    { name: 'w', dtype: 'F32', shape: [64, 64] },
    { name: 'n', dtype: 'I64', shape: [3] },
  ],
  new Map([['format', 'pt']]),
  ({ dtype }, byteLength) =>
    dtype === 'F32'
      ? viewBytes(Float32Array.from({ length: byteLength / 4 }, (_, i) => (i % 3) - 1))
      : new Uint8Array(byteLength),
);
let file: Uint8Array;
let dataStart: number;

test.before(async () => {
  file = await modelFileOf(model, { encode: { fragments: 2 } });
  ({ dataStart } = await readModelFile(bytesSource(file)));
});

async function loadAll(bytes: Uint8Array): Promise<void> {
  const opened = await openModel(bytesSource(bytes));
  await opened.load();
}

test('every bit of the file: a flip is refused, on opening in the header, at the latest on loading', async () => {
  assert.ok(file.length < 4096, `${file.length} bytes are few enough`);
  await loadAll(file);
  for (let bit = 0; bit < file.length * 8; bit++) {
    const flipped = file.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await rejects(bit >> 3 < dataStart ? openModel(bytesSource(flipped)) : loadAll(flipped), HolostreamError);
  }
});

test('a header in a Buffer of Node is read, not changed', () => {
  const header = file.subarray(0, dataStart);
  const bytes = Buffer.from(header);
  assert.is(parseModelFile(bytes, file.length).dataStart, dataStart);
  assert.ok(bytes.equals(header));
});

test('every byte of the header, with any other value', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(dataStart - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = file.slice();
      changed[at]! ^= change;
      await rejects(openModel(bytesSource(changed)), HolostreamError);
    }),
    { numRuns: runsOf(2000) },
  );
});

/** The file with another JSON header before the same data. */
function withHeader(json: object): Uint8Array {
  return Buffer.concat([safetensorsOf(json), file.subarray(dataStart)]);
}

test('members in another order, or fewer metadata', async () => {
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, dataStart)));
  const { __metadata__: metadata, ...tensors } = header as Record<string, Record<string, unknown>>;
  const shuffled = (value: object) => {
    const entries = Object.entries(value);
    return fc.shuffledSubarray(entries, { minLength: entries.length }).map(Object.fromEntries);
  };
  const orders = fc.tuple(
    shuffled(tensors),
    fc.shuffledSubarray(Object.entries(metadata!)).map(Object.fromEntries),
    fc.boolean(),
  );
  await fc.assert(
    fc.asyncProperty(orders, async ([members, text, first]) => {
      const one = first ? { __metadata__: text, ...members } : { ...members, __metadata__: text };
      await rejects(openModel(bytesSource(withHeader(one))), HolostreamError);
    }),
  );
  await rejects(openModel(bytesSource(withHeader(tensors))), FormatError, /holostream\.data/);
});

/** The model file as a program writes it that keeps tensors and nothing else. */
function rewritten(metadata = new Map<string, string>()): Uint8Array {
  const { tensors } = parseSafetensorsHeader(file);
  return Buffer.concat([serializeSafetensorsHeader(tensors, metadata).bytes, file.subarray(dataStart)]);
}

/** A model file whose plan lists other files; its checksums are right. */
function withFiles(change: (files: SourceFile[]) => readonly SourceFile[]): Uint8Array {
  return withPlan(file, (plan) => ({ ...plan, files: change([...plan.files]) }));
}

test('a first piece that is too short for the header of its tensor', async () => {
  const { tensors } = await readModelFile(bytesSource(file));
  const tensor = tensors.find(({ encoded }) => encoded !== undefined)!;
  const { offset, length: whole } = tensor.pieces[0]!;
  for (const length of [0, 1, 3, whole - 8, whole - 1]) {
    const piece = file.slice(offset, offset + length);
    const firstPieceHash = formatHash(xxh3(piece));
    throws(() => readFirstPiece({ ...tensor, firstPieceHash }, piece, { xxh3 }), TruncatedError);
  }
});

test('tensors are decoded and verified, also where the plan says that they are worth nothing', async () => {
  const worthless = withPlan(file, (plan) => ({
    ...plan,
    tensors: plan.tensors.map(({ encoded, ...tensor }) => ({
      ...tensor,
      encoded: encoded && { ...encoded, cosines: encoded.cosines.map(() => 0) },
    })),
  }));
  const { files } = await decodeFromModelFile(worthless);
  assert.equal(files, (await decodeFromModelFile(file)).files);
  worthless[worthless.length - 1]! ^= 1;
  await rejects(decodeFromModelFile(worthless), ChecksumError);
});

test('no two files of a model have a tensor of the same name, or the same name themselves', async () => {
  await loadAll(withFiles((files) => files));
  const twice = withPlan(file, ({ files, tensors, order }) => ({
    files: [files[0]!, { ...files[0]!, name: 'other' }],
    // The plain tensors of the second file have no bytes of their own, but nothing gets that far.
    tensors: [...tensors, ...tensors],
    order: [...order, ...order.map((tensor) => tensor + tensors.length)],
  }));
  await rejects(
    openModel(bytesSource(twice)),
    FormatError,
    /two files of its plan have a tensor of the same name/,
  );
  const sameName = withFiles((files) => [...files, { name: files[0]!.name, header: '{}' }]);
  await loadAll(sameName);
  const sinks: string[] = [];
  const decoding = decodeModelFile(bytesSource(sameName), async (name) => {
    sinks.push(name);
    return memorySink();
  });
  await rejects(decoding, FormatError, /two of its files have the same name/);
  assert.equal(sinks, []);
  const inputs = [0, 1].map((i) => ({
    name: 'model.safetensors',
    source: bytesSource(modelOf([{ name: `w${i}`, dtype: 'F32', shape: [2] }])),
  }));
  const encoding = encodeModelFile(inputs, memorySink(), memoryStagingStore());
  await rejects(encoding, ArgumentError, /two of its files have the same name/);
});

test('the name of a file leads out of no folder', async () => {
  for (const name of ['../x', '/x', 'a/b', 'a\\b', 'c:x', '..', '', 'nul', 'a\n']) {
    const file = withFiles(([only]) => [{ ...only!, name }]);
    await loadAll(file);
    const sinks: string[] = [];
    const openSink = async (name: string) => {
      sinks.push(name);
      return memorySink();
    };
    await rejects(
      decodeModelFile(bytesSource(file), openSink),
      FormatError,
      /a file name in it is not plain/,
    );
    assert.equal(sinks, []);
    const inputs = [{ name, source: bytesSource(modelOf([{ name: 'w', dtype: 'F32', shape: [2] }])) }];
    const encoding = encodeModelFile(inputs, memorySink(), memoryStagingStore());
    await rejects(encoding, ArgumentError, /the name of a file is not plain/);
  }
});

test('nothing is made of the data of a model file: no model file, no directory, and none is read', async () => {
  const encodings = [
    (bytes: Uint8Array) => encodeToModelFile({ m: bytes }),
    (bytes: Uint8Array) => encodeModel(bytesSource(bytes), async () => memorySink()),
  ];
  for (const encode of encodings) {
    await rejects(encode(file), FormatError, /^Cannot .*a model file already; decode it first/);
    for (const metadata of [undefined, new Map([['holostream.anything', '']])]) {
      await rejects(encode(rewritten(metadata)), FormatError, /^Cannot .*the data of a model file/);
    }
  }
  const manifest = { metadata: new Map([['holostream.plan', '{}']]), tensors: [] };
  throws(() => parseManifest(serializeManifest(manifest)), FormatError, /^Cannot .*the data of a model file/);
});

test('other programs’ tensors may be called like fragments', async () => {
  const bytes = modelOf([
    { name: 'a#0', dtype: 'U8', shape: [200] },
    { name: 'a#1', dtype: 'F32', shape: [200] },
    { name: 'b#header', dtype: 'F32', shape: [200] },
    { name: 'c#header', dtype: 'U8', shape: [20, 10] },
    { name: 'd#header', dtype: 'U8', shape: [95] },
  ]);
  const opened = await openModel(bytesSource(bytes));
  assert.is((await opened.load()).size, 5);
  const again = await openModel(bytesSource(await modelFileOf(bytes)));
  assert.is((await again.load()).size, 5);
});

test.run();
