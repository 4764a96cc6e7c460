/** What bytes are read from, in a process: `inputs.js FILE.hct FILE.safetensors URL` prints what went wrong with each. */

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import {
  bytesSource,
  collectTensor,
  HctDecoderStream,
  HctReader,
  openModel,
  streamSource,
  viewBytes,
} from 'holostream';

const [path, modelPath, url] = process.argv.slice(2);
const bytes = new Uint8Array(await readFile(path));
// What follows the end of an HCT file is ignored.
const aligned = new Uint8Array(Math.ceil(bytes.length / 2) * 2);
aligned.set(bytes);
const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
shared.set(bytes);

const KINDS = {
  path: () => path,
  'file: URL': () => pathToFileURL(path),
  'text of a file: URL': () => pathToFileURL(path).href,
  'text of a URL': () => url,
  ArrayBuffer: () => bytes.slice().buffer,
  SharedArrayBuffer: () => shared.buffer,
  Uint16Array: () => new Uint16Array(aligned.buffer, 0, aligned.length / 2),
  Blob: () => new Blob([bytes]),
  Response: () => fetch(url),
  ReadableStream: async () => (await fetch(url)).body,
  Readable: () => createReadStream(path),
  'async generator': async function* () {
    yield* [bytes.subarray(0, 100), bytes.slice(100).buffer];
  },
  'arrayBuffer()': () => ({ arrayBuffer: async () => bytes.slice().buffer }),
};

const expected = viewBytes((await collectTensor(bytes)).data);
const outcomes = {};
const attempt = async (name, work) => {
  outcomes[name] = await work().then((result) => result ?? 'ok', String);
};
const compare = (data) => {
  const actual = viewBytes(data);
  const same = actual.length === expected.length && actual.every((byte, i) => byte === expected[i]);
  return same ? 'ok' : 'other bytes';
};

for (const [name, make] of Object.entries(KINDS)) {
  await attempt(name, async () => {
    const reader = await HctReader.open(await make());
    const { data } = await reader.readAll();
    await reader.close();
    return compare(data);
  });
  if (/path|URL/.test(name)) continue;
  await attempt(`${name}, collected`, async () => compare((await collectTensor(await make())).data));
}

await attempt('model by its path', async () => {
  const model = await openModel(modelPath);
  const { size } = await model.load();
  await model.close();
  return size === model.tensors.length ? 'ok' : `${size} tensors`;
});

await attempt('byte reader', async () => {
  for (const stream of [bytesSource(bytes).stream(), streamSource(createReadStream(path)).stream()]) {
    const reader = stream.getReader({ mode: 'byob' });
    const chunks = [];
    for (let next = await reader.read(new Uint8Array(777)); !next.done; ) {
      chunks.push(next.value.slice());
      next = await reader.read(new Uint8Array(777));
    }
    const read = new Uint8Array(await new Blob(chunks).arrayBuffer());
    if (read.length !== bytes.length || read.some((byte, i) => byte !== bytes[i])) return 'other bytes';
  }
});

// It works, as in Deno, or fails: what it must not do is to pass the bytes on as they are.
await attempt('transferred stage', async () => {
  const stage = new HctDecoderStream();
  let moved;
  try {
    moved = structuredClone(stage, { transfer: [stage] });
  } catch {
    return 'ok';
  }
  const piping = new Blob([bytes]).stream().pipeTo(moved.writable);
  const decoded = new Uint8Array(await new Response(moved.readable).arrayBuffer());
  await piping;
  return compare(decoded);
});

console.log(JSON.stringify(outcomes));
