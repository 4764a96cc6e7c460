import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileSink } from '../../node.js';
import { sinkStream } from '../../sinks/index.js';
import { ArgumentError, SinkError } from '../../src/errors.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects } from '../helpers/assertions.js';
import { openFiles } from '../helpers/openFiles.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { chunked } from '../helpers/streams.js';

const test = suite('fileSink');

let folder: string;

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-'));
});
afterEach(test, async () => {
  assert.is(openFiles(folder), 0, 'open files');
  await rm(folder, { recursive: true });
});

const bytes = pseudoRandomBytes(200_000);

test('writes in any order; the file appears when it is closed', async () => {
  const path = join(folder, 'a');
  const sink = await fileSink(pathToFileURL(path));
  await Promise.all([
    sink.write(bytes.subarray(100_000), 100_000),
    sink.write(bytes.subarray(0, 60_000), 0),
    sink.write(bytes.subarray(60_000, 100_000), 60_000),
  ]);
  await rejects(stat(path), Error, /ENOENT/);
  await sink.close();
  await sink.close();
  await sink.abort();
  assert.equal(new Uint8Array(await readFile(path)), bytes);
  assert.equal(await readdir(folder), ['a']);
  await rejects(sink.write(bytes, 0), ArgumentError, /closed/);
});

test('as a stream; an abort or a failing source leaves the old file and nothing else', async () => {
  const path = join(folder, 'a');
  await writeFile(path, 'old');
  const abort = new AbortController();
  const piping = chunked(bytes, 1000).pipeTo(sinkStream(await fileSink(path)), { signal: abort.signal });
  abort.abort(new Error('enough'));
  await rejects(piping, Error, /enough/);
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (controller.desiredSize !== null) controller.enqueue(bytes);
      controller.error(new Error('broken'));
    },
  });
  await rejects(broken.pipeTo(sinkStream(await fileSink(path))), Error, /broken/);
  assert.equal([await readdir(folder), await readFile(path, 'utf8')], [['a'], 'old']);
  await chunked(bytes, 1000).pipeTo(sinkStream(await fileSink(path)));
  assert.equal([await readdir(folder), new Uint8Array(await readFile(path))], [['a'], bytes]);
});

test('leaving an await using block without closing aborts', async () => {
  {
    await using sink = await fileSink(join(folder, 'a'));
    await sink.write(bytes, 0);
  }
  assert.equal(await readdir(folder), []);
});

test('a rename that fails is reported and leaves nothing behind', async () => {
  const path = join(folder, 'a');
  const sink = await fileSink(path);
  await sink.write(bytes, 0);
  await mkdir(path);
  await rejects(sink.close(), SinkError, /Cannot finish the file/);
  assert.equal(await readdir(folder), ['a']);
});

test('many writers of one path: each file is whole, the last to close stays', async () => {
  const path = join(folder, 'a');
  const sinks = await Promise.all(Array.from({ length: 8 }, () => fileSink(path)));
  await Promise.all(
    sinks.map(async (sink, i) => {
      for (let k = 0; k < 5; k++) await sink.write(new Uint8Array(1000).fill(i), k * 1000);
    }),
  );
  for (const [i, sink] of sinks.entries()) {
    await sink.close();
    assert.equal(new Uint8Array(await readFile(path)), new Uint8Array(5000).fill(i));
  }
  assert.equal(await readdir(folder), ['a']);
});

test('links are followed; folders and devices are no files; a missing folder is an error', async () => {
  const path = join(folder, 'a');
  await writeFile(path, 'old');
  await symlink(path, join(folder, 'link'));
  const sink = await fileSink(join(folder, 'link'));
  await sink.write(new TextEncoder().encode('new'), 0);
  await sink.close();
  assert.is(await readFile(path, 'utf8'), 'new');
  await rejects(fileSink(folder), ArgumentError, /Cannot write a file here/);
  await rejects(fileSink('/dev/null'), ArgumentError, /Cannot write a file here/);
  await rejects(fileSink(join(folder, 'none', 'a')), SinkError, /Cannot create the file/);
});

test.run();
