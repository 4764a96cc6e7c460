import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openForeignModel } from '../../../models/inputs/foreign.js';
import { openModel } from '../../../models/openModel.js';
import { fileSource } from '../../../sources/file.js';
import { SourceChangedError, SourceError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { temporaryFolder } from '../../helpers/cli.js';
import { fileServer } from '../../helpers/fileServer.js';
import { externalTensor, graphOf, modelProto } from '../../helpers/onnxWriter.js';
import { openFiles } from '../../helpers/openFiles.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { collect } from '../../helpers/streams.js';

const test = suite('models in many files');

const COUNT = 60;
const SIZE = 70_000;
const WEIGHTS = pseudoRandomBytes(COUNT * SIZE);
const names = Array.from({ length: COUNT }, (_, i) => `s${i}.bin`);

/** A network of TensorFlow.js in shards, and an ONNX model with a file for each weight, which are the same. */
function written(): string {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  for (const [i, name] of names.entries())
    writeFileSync(join(folder, name), WEIGHTS.subarray(i * SIZE, (i + 1) * SIZE));
  const weights = names.map((name) => ({ name, shape: [SIZE / 4], dtype: 'float32' }));
  writeFileSync(
    join(folder, 'model.json'),
    JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths: names, weights }] }),
  );
  const tensors = names.map((name) =>
    externalTensor({ name, dtype: 'F32', shape: [SIZE / 4], offset: 0, byteLength: SIZE }, name),
  );
  writeFileSync(join(folder, 'model.onnx'), modelProto(graphOf(tensors)));
  return folder;
}

for (const name of ['model.json', 'model.onnx']) {
  test(`${name}: few files are open at a time, however they are read; none once the model is closed`, async () => {
    const folder = written();
    const model = await openModel(join(folder, name));
    assert.is(model.tensors.length, COUNT);
    assert.ok(openFiles(folder) <= 18, `${openFiles(folder)} files`);
    const tensors = await model.load({ as: 'source' });
    for (const [i, one] of names.entries()) {
      const { buffer, byteOffset, byteLength } = tensors.get(one)!.data;
      assert.ok(
        Buffer.from(buffer, byteOffset, byteLength).equals(WEIGHTS.subarray(i * SIZE, (i + 1) * SIZE)),
      );
    }
    assert.ok(openFiles(folder) <= 18, `${openFiles(folder)} files`);
    const file = await model.file();
    assert.ok(
      Buffer.concat(await collect(file.stream()))
        .subarray(-WEIGHTS.length)
        .equals(WEIGHTS),
    );
    const cancelled = file.stream().getReader();
    await cancelled.read();
    await cancelled.cancel();
    await model.close();
    assert.is(openFiles(folder), 0);
  });
}

test('a file that has changed while it was not open is refused; after closing, none is opened again', async () => {
  const folder = written();
  const path = join(folder, 'model.json');
  const source = await fileSource(path);
  const openBeside = (name: string) => fileSource(join(folder, name));
  const { files, close } = await openForeignModel(source, { openBeside });
  const [weights] = files;
  // The first is not open any more.
  const first = readFileSync(join(folder, names[0]!));
  const start = weights!.source.size! - WEIGHTS.length;
  assert.ok(first.equals(await weights!.source.read(start, SIZE)));
  appendFileSync(join(folder, names[1]!), 'x');
  await rejects(weights!.source.read(start + SIZE, 100), SourceChangedError, /s1\.bin/);
  writeFileSync(join(folder, names[2]!), new Uint8Array(SIZE));
  await rejects(weights!.source.read(start + 2 * SIZE, 100), SourceChangedError, /s2\.bin/);
  await close();
  await rejects(weights!.source.read(start, 100), SourceError, /it is closed/);
  await source.close();
  assert.is(openFiles(folder), 0);
});

test('on a server, the sizes of files are asked for by as many requests as a load may have', async () => {
  const folder = written();
  const files = Object.fromEntries(
    [...names, 'model.json'].map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]),
  );
  await using server = await fileServer(files);
  const model = await openModel(`${server.url}model.json`, { limits: { concurrency: 3 } });
  assert.is(model.tensors.length, COUNT);
  assert.ok(server.maxActive <= 3, `${server.maxActive} requests at a time`);
  await model.close();
});

test.run();
