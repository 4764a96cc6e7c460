import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OpenModelFile } from '../../../models/directory/modelReader.js';
import { findModel } from '../../../models/inputs/findModel.js';
import { fileFormat, openOneFile } from '../../../models/inputs/formats.js';
import { openShards, type Shards } from '../../../models/inputs/shards.js';
import { openModel } from '../../../models/openModel.js';
import { bytesSource } from '../../../sources/bytes.js';
import { FormatError, UnsupportedError } from '../../../src/errors.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { serializeSafetensorsHeader } from '../../../src/safetensors/serialize.js';
import type { RandomAccessSource } from '../../../src/source.js';
import { rejects } from '../../helpers/assertions.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';

const test = suite('inputs of models');

const plain = modelOf([{ name: 'w', dtype: 'F32', shape: [100, 50] }]);

test('formats are told apart by the first bytes', async () => {
  const utf8 = (text: string) => bytesSource(new TextEncoder().encode(text));
  assert.is(await fileFormat(bytesSource(plain)), 'safetensors');
  assert.is(await fileFormat(bytesSource(await modelFileOf(plain))), 'model-file');
  assert.is(await fileFormat(utf8('HCTN')), 'hct');
  assert.is(await fileFormat(utf8('HTNS and more')), 'holotensor');
  for (const text of ['', 'H', 'HCT', 'some text that is long enough for a header, and not one']) {
    assert.is(await fileFormat(utf8(text)), undefined, text);
  }
});

test('a file of one tensor is no model, nor is a model file that another program has written anew', async () => {
  const tensor = new TextEncoder().encode('HTNS and more');
  await rejects(openModel(bytesSource(tensor)), UnsupportedError, /one tensor.*got holotensor/);
  const file = await modelFileOf(plain);
  const { tensors, metadata, byteLength } = parseSafetensorsHeader(file);
  const reordered = new Map([...metadata].reverse());
  const rewritten = Buffer.concat([
    serializeSafetensorsHeader(tensors, reordered).bytes,
    file.subarray(byteLength),
  ]);
  await rejects(openModel(bytesSource(rewritten)), FormatError, /header anew/);
});

/** A folder in memory that counts the files that are open. */
function folder(files: Record<string, Uint8Array | object>) {
  const state = {
    open: 0,
    openFile(name: string): RandomAccessSource {
      const found = files[name];
      if (found === undefined) throw new FormatError('no such file', { name });
      const bytes =
        found instanceof Uint8Array ? found : new TextEncoder().encode(JSON.stringify({ weight_map: found }));
      state.open += 1;
      const close = async () => {
        state.open -= 1;
      };
      return { ...bytesSource(bytes), close };
    },
  };
  return state;
}

async function openIndex(open: OpenModelFile) {
  const found = await findModel({ folder: 'folder', names: ['index'], open }, {});
  assert.is(found.kind, 'shards');
  return openShards(found as Shards, open, openOneFile, {});
}

const shard = (...names: string[]) => modelOf(names.map((name) => ({ name, dtype: 'F32', shape: [4] })));

test('shards: all tensors, in the order of the files, and every file closed at the end', async () => {
  const [first, second] = [shard('a', 'b'), await modelFileOf(shard('c'))];
  const files = folder({ index: { c: '2', a: '1', b: '1' }, 1: first, 2: second });
  const content = await openIndex(files.openFile);
  assert.is(content.format, 'safetensors');
  assert.equal(
    content.tensors.map(({ name }) => name),
    ['a', 'b', 'c'],
  );
  assert.is(files.open, 2);
  await content.close();
  assert.is(files.open, 0);
});

test('shards that are not what the index says; what was opened is closed', async () => {
  const broken: [Record<string, Uint8Array | object>, RegExp][] = [
    [{ index: { a: '1', b: '2' }, 1: shard('b'), 2: shard('a') }, /no such tensor \(a in 1\)/],
    [{ index: { a: '1', b: '1' }, 1: shard('a') }, /no such tensor \(b in 1\)/],
    [{ index: { a: '1', b: '2' }, 1: shard('a'), 2: shard('a', 'b') }, /same name \(a\)/],
    [{ index: { a: '1', b: '2' }, 1: shard('a') }, /no such file \(2\)/],
    [{ index: { a: '1', b: '2' }, 1: shard('a'), 2: new Uint8Array(100) }, /header/],
    [{ index: [] }, /no weight_map/],
  ];
  for (const [content, message] of broken) {
    const files = folder(content);
    await rejects(openIndex(files.openFile), FormatError, message);
    assert.is(files.open, 0, String(message));
  }
});

test.run();
