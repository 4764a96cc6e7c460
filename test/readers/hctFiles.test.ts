import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressFile, decompressFile } from '../../readers/hctFiles.js';
import { HctReader } from '../../readers/hctReader.js';
import { fileSource } from '../../sources/file.js';
import { ArgumentError, ChecksumError, SourceError, TruncatedError } from '../../src/errors.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects } from '../helpers/assertions.js';

const test = suite('compressFile and decompressFile');
let folder: string;
let input: string;
let output: string;
const content = new Uint8Array(300_000).map((_, i) => i >> 9);

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  input = join(folder, 'in.raw');
  output = join(folder, 'out.hct');
  await writeFile(input, content);
});
afterEach(test, () => rm(folder, { recursive: true }));

for (const algorithm of ['lz4', 'zstd'] as const) {
  test(`${algorithm}: file to file, with figures that are true and progress to the end`, async () => {
    const progress: number[] = [];
    const stats = await compressFile(input, output, {
      dtype: 'F16',
      shape: [300, 500],
      algorithm,
      onProgress: (bytes, total) => progress.push(bytes / total),
    });
    const file = await readFile(output);
    assert.is(stats.fileSize, file.length);
    assert.is(stats.originalSize, content.length);
    assert.is(stats.ratio, content.length / file.length);
    assert.ok(progress.length > 1 && progress.at(-1) === 1);
    const back = join(folder, 'back.raw');
    progress.length = 0;
    await decompressFile(output, back, { onProgress: (bytes, total) => progress.push(bytes / total) });
    assert.equal(await readFile(back), Buffer.from(content));
    assert.is(progress.at(-1), 1);
    await using source = await fileSource(output);
    const reader = await HctReader.open(source);
    assert.is(stats.compressedSize, reader.header.compressedSize);
    assert.is(stats.blockCount, reader.header.blockCount);
    assert.equal(Buffer.from(viewBytes((await reader.readAll()).data)), Buffer.from(content));
  });
}

test('on errors the old output stays, and nothing else does', async () => {
  await writeFile(output, 'old');
  const abort = new AbortController();
  const run = (shape: number[], path = input) =>
    compressFile(path, output, {
      dtype: 'I8',
      shape,
      signal: abort.signal,
      onProgress: () => shape.length === 2 && abort.abort(new Error('enough')),
    });
  await rejects(run([299_999]), ArgumentError, /more bytes/);
  await rejects(run([300_001]), TruncatedError, /fewer bytes/);
  await rejects(run([-1]), ArgumentError, /shape/);
  await rejects(run([300_000], join(folder, 'missing')), SourceError);
  await rejects(run([300, 1000]), Error, /enough/);
  assert.is(await readFile(output, 'utf8'), 'old');
  assert.equal((await readdir(folder)).sort(), ['in.raw', 'out.hct']);
});

test('decompressing: on errors the old output stays, and nothing else does', async () => {
  await compressFile(input, output, { dtype: 'I8', shape: [300_000], blockSize: 1000 });
  const back = join(folder, 'back.raw');
  await writeFile(back, 'old');
  const abort = new AbortController();
  const aborting = { signal: abort.signal, onProgress: () => abort.abort(new Error('enough')) };
  await rejects(decompressFile(output, back, aborting), Error, /enough/);
  const file = await readFile(output);
  file[file.length - 1]! ^= 1;
  await writeFile(output, file);
  await rejects(decompressFile(output, back), ChecksumError, /block 299/);
  await writeFile(output, file.subarray(0, 5000));
  await rejects(decompressFile(output, back), TruncatedError, /shorter/);
  assert.is(await readFile(back, 'utf8'), 'old');
  assert.equal((await readdir(folder)).sort(), ['back.raw', 'in.raw', 'out.hct']);
});

test.run();
