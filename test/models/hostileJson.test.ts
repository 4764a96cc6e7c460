import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseManifest } from '../../models/directory/manifest.js';
import { ModelReader } from '../../models/directory/modelReader.js';
import { findStagedTensor, memoryStagingStore } from '../../models/file/stagingStore.js';
import { findModel } from '../../models/inputs/findModel.js';
import { parseShardIndex } from '../../models/inputs/shardIndex.js';
import { openModel } from '../../models/openModel.js';
import { HctReader } from '../../readers/hctReader.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { concatenate, viewOf } from '../../src/bytes/binary.js';
import { HolostreamError } from '../../src/errors.js';
import { parseHctHeader } from '../../src/hct/header.js';
import { xxh3 } from '../../src/kernels/xxh3/checksum.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { rejects } from '../helpers/assertions.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { safetensorsOf } from '../helpers/safetensors.js';

const test = suite('hostile JSON');

const nested = (depth: number, inner = '1') => '['.repeat(depth) + inner + ']'.repeat(depth);

/** Values, as JSON, that convert to no string or number, are deep, or are of another type than expected. */
const HOSTILE = [
  nested(15_000),
  nested(60),
  `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`,
  '{"toString":1,"valueOf":1,"length":3,"then":1}',
  '[{"toString":1}]',
  '{"__proto__":{"files":[]}}',
  'null',
  'true',
  '1e400',
  '-1',
  '""',
  '"\\u001b]0;x\\u0007\\ud800"',
  '[]',
  '{}',
];

/** Every text that this JSON becomes when one of its values, or of its keys, is a hostile one. */
function* mutated(json: string): Generator<string> {
  const marker = '@here@';
  for (let target = 0; ; target++) {
    let [count, found] = [0, false];
    const text = JSON.stringify(JSON.parse(json), (_, value) => {
      const isTarget = count++ === target;
      found ||= isTarget;
      return isTarget ? marker : value;
    });
    if (!found) return;
    for (const value of HOSTILE) yield text.replace(`"${marker}"`, () => value);
  }
}

/** Reading is refused by an error of the family, or works, where the value is one that any reader skips or takes. */
async function holds(json: string, read: (json: string) => unknown): Promise<void> {
  let refused = 0;
  for (const text of mutated(json)) {
    try {
      await read(text);
    } catch (error) {
      if (!(error instanceof HolostreamError)) throw error;
      assert.match(error.message, /^Cannot /);
      assert.ok(error.message.length < 2000);
      refused += 1;
    }
  }
  assert.ok(refused >= HOSTILE.length);
}

test('a model manifest', async () => {
  const entry = { dtype: 'F32', shape: [2, 3], byteLength: 24, xxh3: '0123456789abcdef', fileSize: 24 };
  const json = JSON.stringify({
    format: 'holostream-model',
    version: 1,
    metadata: { a: 'b' },
    tensors: [{ name: 'w', file: 'w.raw', format: 'raw', ...entry }],
  });
  await holds(json, parseManifest);
});

test('a shard index', () => {
  const json = JSON.stringify({ metadata: { total_size: 5 }, weight_map: { a: 'x', b: 'y' } });
  return holds(json, (text) => parseShardIndex(text, 'model.safetensors.index.json'));
});

test('the header of a safetensors file', () => {
  const json = JSON.stringify({
    __metadata__: { a: 'b' },
    w: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  });
  return holds(json, (text) => parseSafetensorsHeader(safetensorsOf(text)));
});

test('the extension section of an HCT file, under a right checksum', async () => {
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'I8', shape: [1, 2, 1, 2], name: 'w' });
  await writer.write(new Uint8Array(4));
  await writer.close();
  const file = sink.bytes;
  const { compressedSize, blockCount } = parseHctHeader(file);
  const sectionStart = 64 + 16 * blockCount + compressedSize;
  const json = new TextDecoder().decode(file.subarray(sectionStart + 8, -8));
  await holds(json, async (text) => {
    const bytes = new TextEncoder().encode(text);
    const section = new Uint8Array(bytes.length + 16);
    section.set(file.subarray(sectionStart, sectionStart + 4));
    viewOf(section).setUint32(4, bytes.length, true);
    section.set(bytes, 8);
    viewOf(section).setBigUint64(8 + bytes.length, xxh3(bytes), true);
    const reader = await HctReader.open(bytesSource(concatenate([file.subarray(0, sectionStart), section])));
    await reader.readAll();
  });
});

test('the record of a staged tensor, under a right checksum', async () => {
  const kernels = { xxh3 };
  const staging = memoryStagingStore();
  await encodeToModelFile({ m: modelOf([{ name: 'w', dtype: 'F32', shape: [64, 64] }]) }, {}, staging);
  const source = (await staging.open('0'))!;
  const entry = await source.read(0, source.size!);
  const length = viewOf(entry).getUint32(0, true);
  const json = new TextDecoder().decode(entry.subarray(12, 12 + length));
  const { fingerprint } = JSON.parse(json) as { fingerprint: string };
  const find = async (text: string) => {
    const record = new TextEncoder().encode(text);
    const start = new Uint8Array(12);
    viewOf(start).setUint32(0, record.length, true);
    viewOf(start).setBigUint64(4, xxh3(record), true);
    const bytes = concatenate([start, record, entry.subarray(12 + length)]);
    const store = { ...staging, open: async () => bytesSource(bytes) };
    return findStagedTensor(store, '0', fingerprint, kernels, {});
  };
  assert.is((await find(json))?.fingerprint, fingerprint);
  await holds(json, find);
});

test('the inputs of test/fixtures/hostile', async () => {
  const opening = (name: string) => () =>
    bytesSource(readFileSync(new URL(`../fixtures/hostile/${name}`, import.meta.url)));
  for (const name of ['manifest-nested.json', 'manifest-object.json']) {
    await rejects(ModelReader.open(opening(name)), HolostreamError, /^Cannot read .*manifest/);
    await rejects(openModel(opening(name)), HolostreamError, /^Cannot read .*manifest/);
  }
  const index = opening('shard-index-object.json');
  const place = { folder: 'folder', names: ['x.index.json'], open: index };
  await rejects(findModel(place, {}), HolostreamError, /^Cannot read the shard index/);
});

test.run();
