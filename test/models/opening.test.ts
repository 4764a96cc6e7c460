import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Model } from '../../models/model.js';
import { openModel } from '../../models/openModel.js';
import { SourceError } from '../../src/errors.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects } from '../helpers/assertions.js';
import { type FileServer, fileServer } from '../helpers/fileServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { tick, until } from '../helpers/streams.js';
import { TRAINED_FILES } from '../helpers/trained.js';

/** How many requests it takes to open a model, how many of them one after another, and that no byte comes twice. */

const test = suite('opening models on servers');

const FIRST_READ = 65536;
const SHARDS = 40;
/** Requests at a time of one model, as documented. */
const LIMIT = 6;

const plain = TRAINED_FILES.digits;
const small = modelOf([{ name: 'w', dtype: 'F32', shape: [10, 5] }]);
let server: FileServer;

test.before.each(async () => {
  server = await fileServer({});
});
afterEach(test, async () => {
  await server[Symbol.asyncDispose]();
});

function add(name: string, bytes: Uint8Array): string {
  server.files.set(name, bytes);
  return server.url + encodeURIComponent(name);
}

/** All tensors of the model are those of the file. */
async function assertHolds(url: string, file: Uint8Array): Promise<void> {
  await using model = await openModel(url);
  await assertLoads(model, file);
}

async function assertLoads(model: Model, file: Uint8Array): Promise<void> {
  const loaded = await model.load({ as: 'source' });
  for (const { name, offset, byteLength } of parseSafetensorsHeader(file).tensors) {
    const data = viewBytes(loaded.get(name)!.data);
    assert.ok(Buffer.from(data).equals(file.subarray(offset, offset + byteLength)), name);
  }
}

test('one request before the weights; what it brought is not fetched again', async () => {
  for (const [name, file] of Object.entries({ plain, encoded: await modelFileOf(plain) })) {
    assert.ok(file.length > FIRST_READ);
    const url = add(name, file);
    const before = { requests: server.requests.length, sent: server.sent };
    await using model = await openModel(url);
    assert.equal(server.requests.slice(before.requests), [`${name} bytes=0-${FIRST_READ - 1}`]);
    await assertLoads(model, plain);
    assert.equal(server.requests.slice(before.requests + 1), [
      `${name} bytes=${FIRST_READ}-${file.length - 1}`,
    ]);
    assert.is(server.sent - before.sent, file.length);
  }
  // On a busy machine, a request can be sent before the connection of the one before it is free.
  assert.ok(server.connections <= 3, `${server.connections} connections`);
});

test('a file that is smaller than the first read: one request for all of it', async () => {
  const files = { small, encoded: await modelFileOf(small) };
  for (const [name, file] of Object.entries(files)) await assertHolds(add(name, file), small);
  assert.equal(server.requests, ['small bytes=0-65535', 'encoded bytes=0-65535']);
  assert.is(server.sent, small.length + files.encoded.length);
});

test('a header that is larger than the first read: one request for the rest of it', async () => {
  const names = Array.from({ length: 1500 }, (_, i) => `a.tensor.with.a.long.name.${i}`);
  const file = modelOf(names.map((name) => ({ name, dtype: 'F32', shape: [2] })));
  const { byteLength } = parseSafetensorsHeader(file);
  assert.ok(byteLength > FIRST_READ);
  await assertHolds(add('m', file), file);
  assert.equal(server.requests, [
    'm bytes=0-65535',
    `m bytes=65536-${byteLength - 1}`,
    `m bytes=${byteLength}-${file.length - 1}`,
  ]);
  assert.is(server.sent, file.length);
});

test('rows and tensors in the first read are not fetched; those across its end, only behind it', async () => {
  const file = modelOf([
    { name: 'a', dtype: 'F32', shape: [4, 1000] },
    { name: 'b', dtype: 'F32', shape: [100, 1000] },
    { name: 'c', dtype: 'F32', shape: [100, 1000] },
  ]);
  const { tensors } = parseSafetensorsHeader(file);
  const bytesOf = (index: number, start: number, end: number) => {
    const { offset } = tensors[index]!;
    return file.subarray(offset + start * 4000, offset + end * 4000);
  };
  await using model = await openModel(add('m', file));
  server.requests.length = 0;
  const rows = async (index: number, start: number, end: number) => {
    const { data } = await model.rows(tensors[index]!.name, start, end);
    assert.ok(Buffer.from(viewBytes(data)).equals(bytesOf(index, start, end)));
  };
  await rows(0, 1, 3);
  await rows(1, 0, 5);
  assert.equal(server.requests, []);
  await rows(1, 5, 20);
  await rows(2, 7, 9);
  const { data } = await model.tensor('a', { as: 'source' });
  assert.ok(Buffer.from(viewBytes(data)).equals(bytesOf(0, 0, 4)));
  const end = tensors[1]!.offset + 20 * 4000;
  const start = tensors[2]!.offset + 7 * 4000;
  assert.equal(server.requests, [`m bytes=65536-${end - 1}`, `m bytes=${start}-${start + 8000 - 1}`]);
});

/** Holds back answers until as many requests wait as the limit allows; resolves with the number of rounds. */
function inRounds(requests: number): () => number {
  let rounds = 0;
  let left = requests;
  let waiting: (() => void)[] = [];
  const answer = () => {
    rounds += 1;
    left -= waiting.length;
    for (const resume of waiting.splice(0)) resume();
  };
  server.before = () =>
    new Promise((resolve) => {
      waiting.push(() => resolve(undefined));
      const { length } = waiting;
      if (length === Math.min(LIMIT, left)) answer();
      // Fewer than that come together: answer them all the same, in a round too many.
      else void tick(3000).then(() => waiting.length === length && answer());
    });
  return () => {
    waiting = [];
    return rounds;
  };
}

function addShards(): string {
  const names = Array.from({ length: SHARDS }, (_, i) => `model-${String(i).padStart(2, '0')}.safetensors`);
  const map = Object.fromEntries(names.map((name, i) => [`t${i}`, name]));
  for (const [i, name] of names.entries()) {
    add(name, modelOf([{ name: `t${i}`, dtype: 'F32', shape: [100, 200] }]));
  }
  return add('model.safetensors.index.json', new TextEncoder().encode(JSON.stringify({ weight_map: map })));
}

test('40 shards open together, under the limit of requests and of connections', async () => {
  const url = addShards();
  const rounds = inRounds(1 + SHARDS);
  // The index is alone.
  const hold = server.before;
  server.before = async (request, response) => {
    if (request.url!.includes('index')) return undefined;
    return hold(request, response);
  };
  await using model = await openModel(url);
  assert.is(server.requests.length, 1 + SHARDS);
  assert.is(rounds(), Math.ceil(SHARDS / LIMIT));
  assert.is(server.maxActive, LIMIT);
  assert.ok(server.connections <= 2 * LIMIT, `${server.connections} connections`);

  server.before = async () => undefined;
  const loaded = await model.load();
  assert.is(loaded.size, SHARDS);
  assert.is(server.requests.length, 1 + 2 * SHARDS);
  assert.ok(server.connections <= 2 * LIMIT, `${server.connections} connections`);
  const all = [...server.files.values()].reduce((sum, { length }) => sum + length, 0);
  assert.is(server.sent, all, 'no byte comes twice');
});

test('shards on a server without ranges: more of them than requests at a time', async () => {
  const url = addShards();
  server.before = async (request) => {
    delete request.headers.range;
    return undefined;
  };
  await using model = await openModel(url, { signal: AbortSignal.timeout(30_000) });
  assert.is((await model.load()).size, SHARDS);
  assert.is(server.requests.length, 1 + SHARDS);
  const all = [...server.files.values()].reduce((sum, { length }) => sum + length, 0);
  assert.is(server.sent, all, 'no byte comes twice');
});

test('a load of several files fetches them together', async () => {
  await using model = await openModel(addShards());
  let together = 0;
  let active = 0;
  server.before = async (_, response) => {
    active += 1;
    together = Math.max(together, active);
    response.on('close', () => {
      active -= 1;
    });
    await until(() => together >= LIMIT);
    return undefined;
  };
  await model.load();
  assert.is(together, LIMIT);
});

test('a shard that fails ends the opening of the others', async () => {
  const url = addShards();
  let aborted = 0;
  server.before = async (request, response) => {
    if (request.url!.includes('index')) return undefined;
    if (request.url!.includes('-03.')) {
      while (server.requests.length < 1 + LIMIT) await tick();
      response.writeHead(404).end();
      return true;
    }
    response.on('close', () => {
      aborted += 1;
    });
    return true;
  };
  const error = await rejects(openModel(url), SourceError, /answered 404.*model-03\.safetensors/);
  assert.is(error.status, 404);
  await until(() => aborted >= LIMIT - 1);
  assert.is(aborted, LIMIT - 1);
  assert.is(server.requests.length, 1 + LIMIT, 'no other shard is asked for');
});

test('an aborted opening ends its requests', async () => {
  const url = addShards();
  let open = 0;
  server.before = async (request, response) => {
    if (request.url!.includes('index')) return undefined;
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
    return true;
  };
  const abort = new AbortController();
  const opening = openModel(url, { signal: abort.signal });
  while (open < LIMIT) await tick();
  abort.abort(new Error('enough'));
  await rejects(opening, Error, /enough/);
  await until(() => open === 0);
  assert.is(open, 0);
});

test.run();
