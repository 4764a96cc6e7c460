import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertModels, folderStorage } from '../../bulk/index.js';
import { encodeModelFile } from '../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../models/file/stagingStore.js';
import { openForeignModel } from '../../models/inputs/foreign.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { temporaryFolder } from '../helpers/cli.js';
import { smallGguf } from '../helpers/ggufFiles.js';
import { HUB_INDEX, HUB_SHARDS, type Hub, startHub } from '../helpers/hub.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';

const test = suite('bulk: networks of TensorFlow.js, and models on a hub');

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

async function convert(source: string, output: string) {
  const storage = await folderStorage(at('target'));
  const [result] = await convertModels([{ sources: [source], output }], storage, { workers: 0 });
  return result!;
}

async function aloneForeign(bytes: Uint8Array, name: string, beside: (file: string) => Uint8Array) {
  const openBeside = (file: string) => bytesSource(beside(file));
  const model = await openForeignModel(bytesSource(bytes), { name, openBeside });
  const sink = memorySink();
  await encodeModelFile(model.files, sink, memoryStagingStore());
  return sink.bytes.slice();
}

test('weights of a model.json, in files beside it: the file of encodeModelFile; one that changes is encoded anew', async () => {
  mkdirSync(at('web'));
  const values = new Uint8Array(Float32Array.from({ length: 6000 }, (_, i) => Math.sin(i)).buffer);
  writeFileSync(at('web/group1-shard1of2.bin'), values.subarray(0, 9999));
  writeFileSync(at('web/group1-shard2of2.bin'), values.subarray(9999));
  const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
  const weights = [{ name: 'dense/kernel', shape: [60, 100], dtype: 'float32' }];
  writeFileSync(
    at('web/model.json'),
    JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths, weights }] }),
  );
  const alone = () =>
    aloneForeign(readFileSync(at('web/model.json')), 'model.json', (file) => readFileSync(at('web', file)));
  const source = at('web/model.json');
  const first = await convert(source, 'web.holo.safetensors');
  assert.equal([first.error, first.encodedUnits], [undefined, 1]);
  const before = await alone();
  assert.ok(readFileSync(at('target/web.holo.safetensors')).equals(before));
  assert.is((await convert(source, 'web.holo.safetensors')).encodedUnits, 0);

  writeFileSync(
    at('web/group1-shard2of2.bin'),
    values.subarray(9999).map((byte) => byte ^ 1),
  );
  utimesSync(at('web/group1-shard2of2.bin'), 1, 1);
  assert.is((await convert(source, 'web.holo.safetensors')).encodedUnits, 1);
  const after = await alone();
  assert.not.equal(Buffer.compare(after, before), 0);
  assert.ok(readFileSync(at('target/web.holo.safetensors')).equals(after));
});

const onHub = async (work: (hub: Hub) => Promise<void>) => {
  await using hub = await startHub();
  const { HF_ENDPOINT, HF_TOKEN } = process.env;
  Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_secret' });
  try {
    await work(hub);
  } finally {
    for (const [name, value] of Object.entries({ HF_ENDPOINT, HF_TOKEN })) {
      delete process.env[name];
      if (value !== undefined) process.env[name] = value;
    }
  }
};

test('a sharded model on a hub, by its name: the token goes to the hub only, and a second run reads no weights', async () => {
  await onHub(async (hub) => {
    const first = await convert('hf:org/sharded', 'sharded.holo.safetensors');
    assert.equal([first.error, first.encodedUnits], [undefined, 2]);
    const expected = await encodeToModelFile(HUB_SHARDS, { index: new TextDecoder().decode(HUB_INDEX) });
    assert.ok(readFileSync(at('target/sharded.holo.safetensors')).equals(expected));
    assert.equal([...hub.tokens.hub], ['Bearer hf_secret']);
    assert.equal([...hub.tokens.storage], [undefined]);
    // Signed URLs of the first run have expired.
    hub.expireUrls();
    const second = await convert('hf:org/sharded', 'sharded.holo.safetensors');
    assert.equal([second.error, second.encodedUnits, second.foundUnits], [undefined, 0, 0]);
  });
});

test('a revision on a hub, and a file of another format in a folder of one', async () => {
  await onHub(async () => {
    const one = await convert('hf:org/one@refs%2Fpr%2F1', 'one.holo.safetensors');
    assert.is(one.error, undefined);
    const shard = HUB_SHARDS['model-00002-of-00002.safetensors'];
    const expected = await encodeToModelFile({ 'model.safetensors': shard });
    assert.ok(readFileSync(at('target/one.holo.safetensors')).equals(expected));
    const gguf = await convert('hf:org/files/files/model.gguf', 'gguf.holo.safetensors');
    assert.is(gguf.error, undefined);
    const foreign = await aloneForeign(smallGguf(), 'model.gguf', () => new Uint8Array(0));
    assert.ok(readFileSync(at('target/gguf.holo.safetensors')).equals(foreign));
    const { error } = await convert('hf:org/none', 'none.holo.safetensors');
    assert.match(String(error), /org\/none/);
  });
});

test.run();
