import { copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

const test = suite('bulk: models of other formats');

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const ONNX = ['external.onnx', 'typed.onnx'];
const ZIP = ['checkpoint.pt', 'strided.pt', 'stored.npz', 'compressed.npz'];

for (const name of [...ONNX, 'external.bin']) copyFixture(`onnx/${name}`, name);
for (const name of ZIP) copyFixture(`zip/${name}`, name);
writeFileSync(at('small.gguf'), smallGguf());

function copyFixture(path: string, name: string): void {
  copyFileSync(fileURLToPath(new URL(`../fixtures/inputs/${path}`, import.meta.url)), at(name));
}

/** What one machine makes of it, in memory. */
async function alone(name: string) {
  const openBeside = (other: string) => bytesSource(readFileSync(at(other)));
  const model = await openForeignModel(bytesSource(readFileSync(at(name))), { name, openBeside });
  const sink = memorySink();
  await encodeModelFile(model.files, sink, memoryStagingStore());
  const [graph] = model.beside;
  return { file: sink.bytes.slice(), graph: graph && (await graph.source.read(0, graph.source.size!)) };
}

async function convert(name: string, output = `${name}/it.holo.safetensors`, target = at('target')) {
  const model = { sources: [at(name)], output };
  const [result] = await convertModels([model], await folderStorage(target), { workers: 0 });
  return result!;
}

for (const name of [...ONNX, ...ZIP, 'small.gguf']) {
  test(`${name}: the file is that of encodeModelFile, its graph beside it; a second run does nothing`, async () => {
    const expected = await alone(name);
    const first = await convert(name);
    assert.is(first.error, undefined);
    assert.is(first.encodedUnits, 1);
    assert.ok(readFileSync(at('target', name, 'it.holo.safetensors')).equals(expected.file));
    const second = await convert(name);
    assert.equal([second.error, second.encodedUnits, second.foundUnits], [undefined, 0, 0]);
    if (expected.graph === undefined) return;
    const graph = at('target', name, 'it.onnx');
    assert.ok(readFileSync(graph).equals(expected.graph));
    rmSync(graph);
    assert.is((await convert(name)).encodedUnits, 0);
    assert.ok(readFileSync(graph).equals(expected.graph), 'a graph that has gone is written again');
  });
}

test('weights that have changed in a file beside the graph are encoded anew', async () => {
  await convert('external.onnx', 'changed.holo.safetensors');
  const before = readFileSync(at('target', 'changed.holo.safetensors'));
  const bytes = readFileSync(at('external.bin'));
  bytes[0]! ^= 1;
  writeFileSync(at('external.bin'), bytes);
  utimesSync(at('external.bin'), 1, 1);
  assert.is((await convert('external.onnx', 'changed.holo.safetensors')).error, undefined);
  const { file } = await alone('external.onnx');
  const after = readFileSync(at('target', 'changed.holo.safetensors'));
  assert.ok(after.equals(file));
  assert.not(after.equals(before));
});

test('a graph does not replace the model that it is made from', async () => {
  const before = readFileSync(at('typed.onnx'));
  const { error } = await convert('typed.onnx', 'typed.holo.safetensors', folder);
  assert.match(String(error), /would replace the model itself/);
  assert.ok(readFileSync(at('typed.onnx')).equals(before));
});

test('graphs of two models do not share an object, nor do a graph and a model file', async () => {
  const storage = await folderStorage(at('shared'));
  const sources = [at('typed.onnx')];
  for (const other of ['a', 'a.onnx']) {
    const models = [
      { sources, output: other },
      { sources, output: 'a.holo.safetensors' },
    ];
    const errors = (await convertModels(models, storage, { workers: 0 })).map(({ error }) => error);
    assert.is(errors[0], undefined);
    assert.match(String(errors[1]), /another model has an object of that name \(a\.onnx\)/);
  }
});

test('what is damaged says which file it is', async () => {
  writeFileSync(at('cut.onnx'), readFileSync(at('typed.onnx')).subarray(0, 500));
  const { error } = await convert('cut.onnx');
  assert.match(String(error), /cut\.onnx/);
});

test.run();
