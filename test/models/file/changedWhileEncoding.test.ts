import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import type { EncodeModelFileOptions } from '../../../models/file/encodeOptions.js';
import { folderStagingStore } from '../../../models/file/folderStagingStore.js';
import { fileSink } from '../../../sinks/file.js';
import { fileSource } from '../../../sources/file.js';
import { ChecksumError, FormatError, SourceChangedError, TruncatedError } from '../../../src/errors.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { rejects } from '../../helpers/assertions.js';
import { temporaryFolder } from '../../helpers/cli.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';

const test = suite('models that change while they are encoded');

const root = temporaryFolder();
const input = join(root, 'model.safetensors');
const folder = join(root, 'staging');
const outputs = join(root, 'out');
const FLIPS = 60;

const model = modelOf([
  { name: 'w', dtype: 'F32', shape: [64, 64] },
  { name: 'plain', dtype: 'I64', shape: [600] },
  { name: 'v', dtype: 'BF16', shape: [80, 80] },
]);

test.before(() => mkdirSync(outputs));
test.before.each(() => {
  writeFileSync(input, model);
  rmSync(folder, { recursive: true, force: true });
});

async function encode(options: EncodeModelFileOptions = {}): Promise<void> {
  const staging = await folderStagingStore(folder);
  await using source = await fileSource(input);
  const sink = await fileSink(join(outputs, 'model.holo.safetensors'));
  await encodeModelFile([{ name: 'model.safetensors', source }], sink, staging, options);
}

/** Calls back when all tensors have been read and encoded, before the file is written. */
function whenStaged(work: () => void): EncodeModelFileOptions {
  return { onProgress: (done, total) => done === total && work() };
}

/** Encodes up to the file, and leaves the staging store. */
async function stage(): Promise<void> {
  const abort = new AbortController();
  const options = whenStaged(() => abort.abort(new Error('enough')));
  await rejects(encode({ ...options, signal: abort.signal }), Error, /enough/);
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1 << (at & 7);
  writeFileSync(path, bytes);
}

/** Places in all files of the staging store, at the same distance. */
function places(): { path: string; at: number }[] {
  const files = readdirSync(folder).map((name) => join(folder, name));
  const all = files.flatMap((path) => {
    const { size } = statSync(path);
    return Array.from({ length: size }, (_, at) => ({ path, at }));
  });
  return Array.from({ length: FLIPS }, (_, i) => all[Math.floor((i * all.length) / FLIPS)]!);
}

function assertNoOutput(): void {
  assert.equal(readdirSync(outputs), []);
}

test('a staging store that changes before the file is written', async () => {
  await stage();
  for (const { path, at } of places()) {
    rmSync(folder, { recursive: true });
    await rejects(encode(whenStaged(() => flip(path, at))), ChecksumError, /^Cannot use an encoded tensor/);
    assertNoOutput();
  }
});

test('a staging store that has changed since an earlier run', async () => {
  await stage();
  for (const { path, at } of places()) {
    flip(path, at);
    // The length of a record may lie: then it is too long, or ends after the file.
    const kind = at < 4 ? FormatError : ChecksumError;
    await rejects(encode(), kind, /^Cannot /);
    assertNoOutput();
    flip(path, at);
  }
  await encode();
  const output = join(outputs, 'model.holo.safetensors');
  assert.ok(readFileSync(output).equals(await modelFileOf(model)));
  rmSync(output);
});

test('entries that are cut short or gone', async () => {
  const cut = () =>
    writeFileSync(join(folder, '0.staging'), readFileSync(join(folder, '0.staging')).subarray(0, -1));
  await rejects(encode(whenStaged(cut)), TruncatedError);
  assertNoOutput();
  rmSync(folder, { recursive: true });
  await rejects(encode(whenStaged(() => rmSync(join(folder, '2.staging')))), FormatError, /it is missing/);
  assertNoOutput();
});

test('a source that changes after it was hashed, without another time of its last change', async () => {
  const { offset, byteLength } = parseSafetensorsHeader(model).tensors.find(({ name }) => name === 'plain')!;
  for (let i = 0; i < FLIPS; i++) {
    writeFileSync(input, model);
    utimesSync(input, 1000, 1000);
    const at = offset + Math.floor((i * byteLength) / FLIPS);
    const options = whenStaged(() => {
      flip(input, at);
      utimesSync(input, 1000, 1000);
    });
    await rejects(encode(options), SourceChangedError, /^Cannot encode the model: .*changed.*plain/);
    assertNoOutput();
  }
});

test.run();
