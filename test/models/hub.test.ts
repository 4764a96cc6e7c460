import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import { memoryStore, openCache } from '../../sources/index.js';
import { ArgumentError, SourceError } from '../../src/errors.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects } from '../helpers/assertions.js';
import { HUB_SHARDS, type Hub, startHub } from '../helpers/hub.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('models on a hub, by their names');

let hub: Hub;

test.before.each(async () => {
  hub = await startHub();
  Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_secret' });
});

afterEach(test, async () => {
  for (const name of ['HF_ENDPOINT', 'HF_TOKEN']) delete process.env[name];
  await hub[Symbol.asyncDispose]();
});

test('a sharded model; the token goes to the hub, and to no other server', async () => {
  const model = await openModel('hf:org/sharded');
  assert.equal(
    model.tensors.map(({ name }) => name),
    ['a', 'b'],
  );
  const tensors = await model.load({ as: 'source' });
  const bytes = new Uint8Array(tensors.get('a')!.data.buffer as ArrayBuffer);
  const [file] = Object.values(HUB_SHARDS);
  assert.equal(bytes, file!.slice(file!.length - bytes.length));
  assert.equal([...hub.tokens.hub], ['Bearer hf_secret']);
  assert.equal([...hub.tokens.storage], [undefined]);
  await model.close();
});

test('a revision and a file; with a cache, and headers of the caller', async () => {
  const cache = openCache(memoryStore());
  const model = await openModel('hf:org/one@refs%2Fpr%2F1/model.safetensors', { cache });
  assert.is((await model.load()).size, 1);
  await model.close();
  hub.tokens.hub.clear();
  const own = await openModel('hf:org/one@v1.0', { http: { headers: { Authorization: 'Bearer mine' } } });
  assert.equal([...hub.tokens.hub], ['Bearer mine']);
  await own.close();
});

test('files stored by Xet come from its bridge, by URLs that expire: then the hub is asked for new ones', async () => {
  const original = TRAINED_FILES.layers;
  hub.xet.store('m.holo.safetensors', await modelFileOf(original));
  hub.xet.store('m.safetensors', original);
  const model = await openModel('hf:org/files/files/m.holo.safetensors');
  assert.is((await model.load({ quality: 0.9 })).size, model.tensors.length);
  hub.expireUrls();
  const plain = await model.file();
  assert.ok(Buffer.from(await plain.read(0, plain.size)).equals(original));
  assert.is(hub.requests.length, 2);
  await model.close();
  // In the middle of a response, too.
  const stored = await openModel('hf:org/files/files/m.safetensors');
  const last = hub.storage.before;
  let broken = 0;
  hub.storage.before = async (request, response) => {
    if (broken++ > 0) return last(request, response);
    hub.expireUrls();
    const [start = 0, end = 0] = request.headers.range!.match(/\d+/g)!.map(Number);
    response.writeHead(206, {
      'content-range': `bytes ${start}-${end}/${original.length}`,
      'content-length': end - start + 1,
    });
    response.write(original.subarray(start, start + 50_000), () => response.destroy());
    return true;
  };
  const tensors = await stored.load({ as: 'source', deadline: 60_000 });
  assert.is(tensors.size, stored.tensors.length);
  assert.is(stored.quality, 1);
  assert.is(hub.requests.length, 4);
  await stored.close();
  assert.equal([...hub.tokens.hub], ['Bearer hf_secret']);
  assert.equal([...hub.tokens.storage], [undefined]);
});

test('without a token, none is sent', async () => {
  delete process.env.HF_TOKEN;
  const model = await openModel('hf:org/one@v1.0', { http: { headers: { 'x-own': '1' } } });
  assert.equal([...hub.tokens.hub], [undefined]);
  await model.close();
});

test('what is no model on a hub is refused', async () => {
  for (const name of ['hf:', 'hf:model', 'hf:org/../x']) {
    await rejects(openModel(name), ArgumentError, /Cannot find the model on a hub/);
  }
  const headers = { 'not a name': 'x' };
  await rejects(openModel('hf:org/one', { http: { headers } }), ArgumentError, /malformed headers/);
  await rejects(openModel('hf:org/none'), SourceError, /Cannot find a model/);
});

test.run();
