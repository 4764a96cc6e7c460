import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../../models/directory/encodeModel.js';
import { modelFolder, modelFolderSink } from '../../../models/directory/modelFolder.js';
import { ModelReader } from '../../../models/directory/modelReader.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ArgumentError, SourceError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { temporaryFolder } from '../../helpers/cli.js';
import { modelOf } from '../../helpers/models.js';

const test = suite('model folders');
const root = temporaryFolder();
const model = bytesSource(modelOf([{ name: 'w', dtype: 'F32', shape: [30, 40] }]));

async function write(path: string): Promise<void> {
  const sink = await modelFolderSink(path);
  await encodeModel(model, sink.openFile);
  await sink.close();
}

test('nothing is there before close, all of it after', async () => {
  const path = join(root, 'new');
  const sink = await modelFolderSink(path);
  await encodeModel(model, sink.openFile);
  assert.not(readdirSync(root).includes('new'));
  await sink.close();
  assert.equal(readdirSync(root), ['new']);
  const reader = await ModelReader.open(modelFolder(path));
  assert.equal((await reader.read('w')).shape, [30, 40]);
});

test('abort leaves what was there, and nothing else', async () => {
  const path = join(root, 'old');
  await write(path);
  const before = readFileSync(join(path, 'manifest.json'));
  const sink = await modelFolderSink(path);
  const file = await sink.openFile('manifest.json');
  await file.write(new Uint8Array(3), 0);
  await file.close();
  await sink.abort();
  assert.equal(readFileSync(join(path, 'manifest.json')), before);
  assert.equal(readdirSync(root).sort(), ['new', 'old']);
});

test('an empty folder is filled, one in use is left alone, a file too', async () => {
  mkdirSync(join(root, 'empty'));
  await write(join(root, 'empty'));
  assert.equal(readdirSync(join(root, 'empty')).sort(), ['manifest.json', 'w.hct']);
  writeFileSync(join(root, 'empty', 'mine'), '');
  await rejects(modelFolderSink(join(root, 'empty')), ArgumentError, /in use .*mine/);
  writeFileSync(join(root, 'file'), '');
  await rejects(modelFolderSink(join(root, 'file')), ArgumentError, /not a folder/);
});

test('only files of the folder itself are opened', async () => {
  const path = join(root, 'links');
  await write(path);
  const open = modelFolder(path);
  symlinkSync(join(root, 'new', 'w.hct'), join(path, 'out.hct'));
  symlinkSync('w.hct', join(path, 'in.hct'));
  await rejects(Promise.resolve(open('out.hct')), SourceError, /link out of its folder/);
  await rejects(Promise.resolve(open('../new/w.hct')), SourceError, /not the name of a model file/);
  await rejects(Promise.resolve(open('absent.hct')), SourceError, /Cannot open model file/);
  const source = await open('in.hct');
  assert.is(source.size, readFileSync(join(path, 'w.hct')).length);
  await source.close?.();
});

test.run();
