import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BrowserTest } from '../helpers/browser.js';
import { concatBytes } from '../helpers/bytes.js';
import { HAS_BYTE_STREAMS, HAS_OPFS, HAS_TRANSFERABLE_STREAMS } from '../helpers/engine.js';
import { readReference } from '../helpers/fixtures.js';
import { hctFixtures } from '../helpers/hctFixtures.js';
import { safetensorsOf } from '../helpers/safetensors.js';

const test = suite('what bytes are read from, in a browser');

const hct = hctFixtures.find(({ file }) => file.includes('v2-lz4-bf16-2d'))!;
const half = hctFixtures.find(({ dtype }) => dtype === 'F16')!;
const VALUES = Float32Array.from({ length: 64 }, (_, i) => i / 8);
const FILES: Record<string, Uint8Array> = {
  '/folder/w.hct': hct.bytes,
  '/folder/half.hct': half.bytes,
  '/folder/w.holo': readReference('holo/lrdf-lowrank.holo'),
  '/folder/w.safetensors': concatBytes([
    safetensorsOf('{"w":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}} '.padEnd(64)),
    new Uint8Array(VALUES.buffer),
  ]),
};

const script = `
  import {
    bytesSource, collectTensor, fromReadableStream, HctDecoderStream, HctReader, HoloTensorReader, openModel, readSafetensors,
    streamSource, toFloat16, toFloat32, viewBytes,
  } from 'holostream';
  import { lastValueFrom, toArray } from 'rxjs';

  const OPENERS = {
    hct: async (input) => (await (await HctReader.open(input)).readAll()).data,
    holo: async (input) => (await (await HoloTensorReader.open(input)).readAll()).data,
    safetensors: async (input) => (await (await openModel(input)).tensor('w')).data,
    all: async (input) => (await readSafetensors(input)).get('w').data,
    collected: async (input) => (await collectTensor(input)).data,
  };
  const fetched = async (url) => (await fetch(url)).arrayBuffer();
  const into = (Buffer, bytes) => {
    const buffer = new Buffer(bytes.byteLength);
    new Uint8Array(buffer).set(new Uint8Array(bytes));
    return buffer;
  };
  const frame = globalThis.document && document.body.appendChild(document.createElement('iframe')).contentWindow;
  const KINDS = {
    text: (url) => url,
    url: (url) => new URL(url, location.href),
    blobUrl: async (url) => URL.createObjectURL(new Blob([await fetched(url)])),
    buffer: fetched,
    shared: async (url) => into(SharedArrayBuffer, await fetched(url)),
    sharedView: async (url) => new Uint16Array(into(SharedArrayBuffer, await fetched(url))),
    floats: async (url) => new Float32Array(await fetched(url)),
    foreign: async (url) => into(frame.ArrayBuffer, await fetched(url)),
    foreignView: async (url) => new frame.DataView(into(frame.ArrayBuffer, await fetched(url))),
    foreignBlob: async (url) => new frame.Blob([await fetched(url)]),
    foreignResponse: (url) => frame.fetch(new URL(url, location.href)),
    foreignStream: async (url) => (await frame.fetch(new URL(url, location.href))).body,
    foreignUrl: (url) => new frame.URL(url, location.href),
    blob: async (url) => new Blob([await fetched(url)]),
    file: async (url) => new File([await fetched(url)], 'w'),
    async handle(url) {
      const root = await navigator.storage.getDirectory();
      const handle = await root.getFileHandle('w', { create: true });
      const writable = await handle.createWritable();
      await writable.write(await fetched(url));
      await writable.close();
      return handle;
    },
    response: (url) => fetch(url),
    stream: async (url) => (await fetch(url)).body,
    iterable: async (url) => [await fetched(url)],
    only: (url) => ({ arrayBuffer: () => fetched(url) }),
  };
  const byob = async (stream, lengths) => {
    const reader = stream.getReader({ mode: 'byob' });
    const chunks = [];
    for (let i = 0; ; i++) {
      const { done, value } = await reader.read(new Uint8Array(lengths[i % lengths.length]));
      if (done) return [...new Uint8Array(await new Blob(chunks).arrayBuffer())];
      chunks.push(value);
    }
  };
  const outcome = (work) => {
    try { return work() ?? 'passed'; } catch (error) { return error.name; }
  };
  globalThis.run = {
    async open(opener, kind, url) {
      const data = await OPENERS[opener](await KINDS[kind](url));
      return [...viewBytes(data)];
    },
    inWorker: (...args) => new Promise((resolve, reject) => {
      const worker = new Worker('/bundle.js', { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(args);
    }),
    async byteReader(url) {
      const bytes = await fetched(url);
      const sources = [bytesSource(bytes).stream(), streamSource(await fetch(url)).stream()];
      const all = await Promise.all(sources.map((stream) => byob(stream, [100, 7])));
      const stream = bytesSource(bytes).stream();
      const reader = stream.getReader({ mode: 'byob' });
      const { value } = await reader.read(new Uint8Array(8));
      reader.releaseLock();
      const rest = await lastValueFrom(fromReadableStream(stream).pipe(toArray()));
      return [...all, [...new Uint8Array(await new Blob([value, ...rest]).arrayBuffer())]];
    },
    decodedByByteReader: async (url) => byob((await fetch(url)).body.pipeThrough(new HctDecoderStream()), [33]),
    async transfer(url, endsToo) {
      const stage = new HctDecoderStream();
      const { port1 } = new MessageChannel();
      const cloned = outcome(() => structuredClone(stage, { transfer: [stage] }) && undefined);
      const posted = outcome(() => port1.postMessage(stage, [stage]));
      if (!endsToo) return [cloned, posted, []];
      const { readable, writable } = stage;
      const ends = structuredClone({ readable, writable }, { transfer: [readable, writable] });
      void (await fetch(url)).body.pipeTo(ends.writable);
      const chunks = await lastValueFrom(fromReadableStream(ends.readable).pipe(toArray()));
      return [cloned, posted, [...new Uint8Array(await new Blob(chunks).arrayBuffer())]];
    },
    async halves(url) {
      const reader = await HctReader.open(url);
      const tensor = await reader.readAll();
      const numbers = toFloat32(tensor);
      const bits = (array) => [...new Uint16Array(array.buffer, array.byteOffset, array.length)];
      const { Float16Array = Uint16Array } = globalThis;
      const out = new Float16Array(numbers.length);
      const { data } = await reader.readAll({ out });
      const halves = toFloat16({ ...tensor, dtype: 'F32', data: numbers });
      return {
        kinds: [data, halves, toFloat16(tensor)].map((array) => array instanceof Float16Array),
        same: data === out,
        bits: [data, halves, toFloat16(tensor)].map(bits),
        numbers: globalThis.Float16Array === undefined || numbers.every((value, i) => value === out[i]),
      };
    },
    refused: (text) => openModel(text).then(() => 'opened', (error) => error.name + ': ' + error.message),
  };
  globalThis.onmessage = async ({ data }) => {
    if (Array.isArray(data)) postMessage(await run.open(...data));
  };
  globalThis.ready = true;
`;

let browser: BrowserTest;
test.before(async () => {
  // Isolated, because only then there is shared memory.
  const headers = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  browser = await BrowserTest.open(
    script,
    (request, response) => {
      const bytes = FILES[request.url!];
      response.statusCode = bytes === undefined ? 404 : 200;
      response.end(bytes);
    },
    headers,
  );
});
test.after(() => browser.close());

const run = (call: string) => browser.tab.evaluate(`run.${call}`);

const KINDS = [
  ...['text', 'url', 'foreignUrl', 'blobUrl'],
  ...['buffer', 'shared', 'sharedView', 'floats', 'foreign', 'foreignView'],
  ...['blob', 'file', 'foreignBlob', ...(HAS_OPFS ? ['handle'] : [])],
  ...['response', 'stream', 'foreignResponse', 'foreignStream', 'iterable', 'only'],
];

for (const [opener, file] of Object.entries({
  hct: 'w.hct',
  holo: 'w.holo',
  safetensors: 'w.safetensors',
  all: 'w.safetensors',
})) {
  test(`${opener}: all kinds give the same numbers`, async () => {
    const expected = await run(`open('${opener}', 'buffer', 'folder/${file}')`);
    assert.ok((expected as number[]).length > 0);
    for (const kind of KINDS) {
      assert.equal(await run(`open('${opener}', '${kind}', 'folder/${file}')`), expected, kind);
    }
  });
}

test('the numbers are those of the files', async () => {
  assert.equal(await run(`open('hct', 'text', 'folder/w.hct')`), [...hct.raw]);
  assert.equal(await run(`open('all', 'text', '/folder/w.safetensors')`), [...new Uint8Array(VALUES.buffer)]);
  for (const kind of KINDS.filter((name) => !/text|url/i.test(name))) {
    assert.equal(await run(`open('collected', '${kind}', 'folder/w.hct')`), [...hct.raw], kind);
  }
});

test('in a worker: texts are relative to it; memory, blobs and streams', async () => {
  const kinds = ['text', 'url', 'buffer', 'shared', 'floats', 'blob', 'response', 'stream'];
  for (const kind of HAS_OPFS ? [...kinds, 'handle'] : kinds) {
    assert.equal(await run(`inWorker('hct', '${kind}', 'folder/w.hct')`), [...hct.raw], kind);
  }
});

test('byte readers, where the engine has byte streams', async () => {
  const expected = [...hct.bytes];
  if (HAS_BYTE_STREAMS) {
    assert.equal(await run(`byteReader('folder/w.hct')`), [expected, expected, expected]);
    assert.equal(await run(`decodedByByteReader('folder/w.hct')`), [...hct.raw]);
    return;
  }
  const refusal = run(`byteReader('folder/w.hct')`).then(String, ({ message }) => message);
  assert.match(await refusal, 'Cannot make a byte reader: this engine has no byte streams');
});

test('a stage is not transferred; its ends are, where the engine transfers streams', async () => {
  const ends = HAS_TRANSFERABLE_STREAMS;
  assert.equal(await run(`transfer('folder/w.hct', ${ends})`), [
    'DataCloneError',
    'DataCloneError',
    ends ? [...hct.raw] : [],
  ]);
});

test('half precision as numbers, where the engine has Float16Array', async () => {
  const raw = [...new Uint16Array(new Uint8Array(half.raw).buffer)];
  assert.equal(await run(`halves('folder/half.hct')`), {
    kinds: [true, true, true],
    same: true,
    bits: [raw, raw, raw],
    numbers: true,
  });
});

test('a file of the disk is refused, with the reason', async () => {
  assert.match(
    String(await run(`refused('file:///etc/hostname')`)),
    /^SourceError: Cannot read the file: .*file: URLs/,
  );
});

test.run();
