import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../../models/directory/encodeModel.js';
import { modelFolder, modelFolderSink } from '../../../models/directory/modelFolder.js';
import { ModelReader } from '../../../models/directory/modelReader.js';
import { removeLeftovers } from '../../../sinks/file.js';
import { leftoversOf, temporaryPath } from '../../../sinks/leftovers.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ArgumentError, SinkError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { compiled, temporaryFolder } from '../../helpers/cli.js';
import { modelOf } from '../../helpers/models.js';

const test = suite('replacing folders and files');

const root = realpathSync(temporaryFolder());
const path = join(root, 'model');
const modelWith = (name: string) => bytesSource(modelOf([{ name, dtype: 'F32', shape: [30, 40] }]));

async function write(name: string): Promise<void> {
  const sink = await modelFolderSink(path);
  await encodeModel(modelWith(name), sink.openFile);
  await sink.close();
}

/** The only tensor of the model at the path, read and verified. */
async function tensorAt(folder: string): Promise<string> {
  const reader = await ModelReader.open(modelFolder(folder));
  const { name } = reader.manifest.tensors[0]!;
  await reader.read(name);
  return name;
}

test.before.each(async () => {
  rmSync(root, { recursive: true });
  mkdirSync(root);
  await write('old');
});

const [script] = compiled(fileURLToPath(new URL('../../helpers/killedAt.ts', import.meta.url))) as [string];

/** Whether the process was killed before its n-th change; false when it ended before. */
async function killedAt(kind: 'folder' | 'file', place: string, n: number): Promise<boolean> {
  const child = spawn(process.execPath, [script, kind, place, String(n)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...ended) => resolve(ended));
  });
  assert.ok(code === 0 || signal === 'SIGKILL', `${code}, ${signal}`);
  return signal !== null;
}

test('killed before each change: the next run has the old model or the new one, and no leftovers', async () => {
  const seen = new Set<string>();
  for (let n = 0; await killedAt('folder', path, n); n++) {
    const told: string[] = [];
    const sink = await modelFolderSink(path, { onLeftover: (_, action) => told.push(action) });
    await sink.abort();
    seen.add(`${await tensorAt(path)} ${told}`);
    assert.equal(readdirSync(root), ['model'], `change ${n}`);
    await write('old');
  }
  assert.equal(await tensorAt(path), 'new');
  assert.equal([...seen], ['old ', 'old removed', 'old restored,removed', 'new removed']);
});

test('killed while a file is written: the old file, and what is left is removed', async () => {
  const file = join(root, 'file');
  let left = 0;
  writeFileSync(file, 'old');
  for (let n = 0; await killedAt('file', file, n); n++) {
    assert.is(readFileSync(file, 'utf8'), 'old');
    left += (await removeLeftovers(file)).length;
    assert.equal(readdirSync(root).sort(), ['file', 'model']);
  }
  assert.is(left, 1);
  assert.is(readFileSync(file).length, 1000);
});

/** The n-th rename to come fails, as often as said. */
function failRename(n: number, code: string, times = 1): Disposable {
  const { rename } = fs;
  let count = 0;
  fs.rename = async (from, to) => {
    count += 1;
    if (count > n && count <= n + times) throw Object.assign(new Error(`${code}: rename`), { code });
    return rename(from, to);
  };
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]: () => {
      fs.rename = rename;
      syncBuiltinESMExports();
    },
  };
}

/** A sink of a complete model with the tensor `new`, not in its place yet. */
async function complete() {
  const kept: string[] = [];
  const sink = await modelFolderSink(path, { onLeftover: (one, action) => kept.push(`${action} ${one}`) });
  await encodeModel(modelWith('new'), sink.openFile);
  return { ...sink, kept };
}

test('a rename that fails: the old folder is put back', async () => {
  for (const n of [0, 1]) {
    const sink = await complete();
    {
      using _ = failRename(n, 'EIO');
      await rejects(sink.close(), SinkError, /^Cannot move the folder into place/);
    }
    await sink.abort();
    assert.is(await tensorAt(path), 'old');
    assert.equal(readdirSync(root), ['model']);
  }
});

test('when it cannot be put back either, the error says where it is', async () => {
  const sink = await complete();
  let error: SinkError;
  {
    using _ = failRename(1, 'EIO', 2);
    error = await rejects(
      sink.close(),
      SinkError,
      /^Cannot put the folder back: it is kept as \.model\..*old/,
    );
  }
  await sink.abort();
  const [kept] = readdirSync(root) as [string];
  assert.ok(error.message.includes(kept));
  assert.is(await tensorAt(join(root, kept)), 'old');
});

test('renames are tried again where the path is in use', async () => {
  for (const code of ['EPERM', 'EBUSY']) {
    const sink = await complete();
    using _ = failRename(0, code, 4);
    await sink.close();
    assert.is(await tensorAt(path), 'new');
    assert.equal(readdirSync(root), ['model']);
  }
});

test('files of other programs that come meanwhile are not deleted', async () => {
  const late = await complete();
  writeFileSync(join(path, 'notes.txt'), 'mine');
  await rejects(late.close(), ArgumentError, /in use for something else.*notes/);
  await late.abort();
  assert.is(await tensorAt(path), 'old');
  assert.is(readFileSync(join(path, 'notes.txt'), 'utf8'), 'mine');
  rmSync(join(path, 'notes.txt'));

  // Between the renames, another program makes the folder anew.
  const sink = await complete();
  const { rename } = fs;
  fs.rename = async (from, to) => {
    await rename(from, to);
    if (String(to).endsWith('.old')) {
      mkdirSync(path);
      writeFileSync(join(path, 'notes.txt'), 'mine');
    }
  };
  syncBuiltinESMExports();
  try {
    await rejects(sink.close(), SinkError, /it is kept as/);
  } finally {
    fs.rename = rename;
    syncBuiltinESMExports();
  }
  await sink.abort();
  assert.is(readFileSync(join(path, 'notes.txt'), 'utf8'), 'mine');
  const old = readdirSync(root).find((name) => name.endsWith('.old'))!;
  assert.is(await tensorAt(join(root, old)), 'old');
});

/** A path as a process made it that runs no more. */
function ofDeadProcess(kind: 'old' | 'partial' | 'tmp'): string {
  return temporaryPath(path, kind).replace(/-\d+-[0-9a-f]{8}-/, '-999999999-00000001-');
}

test('a folder that was put aside is kept while it may be the only model, or holds something else', async () => {
  const old = ofDeadProcess('old');
  renameSync(path, old);
  mkdirSync(path);
  writeFileSync(join(path, 'notes.txt'), 'mine');
  await rejects(modelFolderSink(path), ArgumentError, /in use for something else/);
  assert.is(await tensorAt(old), 'old');
  rmSync(join(path, 'notes.txt'));
  // An empty folder in its place holds nothing.
  await (await modelFolderSink(path)).abort();
  assert.is(await tensorAt(path), 'old');

  mkdirSync(old);
  writeFileSync(join(old, 'notes.txt'), 'mine');
  const sink = await complete();
  assert.equal(sink.kept, [`kept ${old}`]);
  await sink.close();
  assert.is(readFileSync(join(old, 'notes.txt'), 'utf8'), 'mine');
  assert.is(await tensorAt(path), 'new');

  // A model that was being deleted is no model.
  rmSync(old, { recursive: true });
  renameSync(path, old);
  rmSync(join(old, 'new.hct'));
  const next = await complete();
  assert.equal(next.kept, [`removed ${old}`]);
  await next.abort();
  assert.not(existsSync(path));
});

test('leftovers are removed also where nobody wants to hear of them', async () => {
  for (const kind of ['old', 'partial'] as const) cpSync(path, ofDeadProcess(kind), { recursive: true });
  assert.is(readdirSync(root).length, 3);
  await (await modelFolderSink(path)).abort();
  assert.equal(readdirSync(root), ['model']);
});

test('what a running process writes is not touched; that of a dead one is, also when its id is another’s now', async () => {
  const running = temporaryPath(path, 'tmp');
  const dead = ofDeadProcess('tmp');
  const reused = running.replace(/-[0-9a-f]{8}-([0-9a-f]{8})\.tmp$/, '-00000001-$1.tmp');
  const elsewhere = dead.replace(/\.[0-9a-f]{8}-/, '.00000001-');
  const foreign = join(root, '.model.tmp');
  const all = [running, dead, reused, elsewhere, foreign];
  for (const file of all) writeFileSync(file, '');
  const expected = process.platform === 'linux' ? [dead, reused] : [dead];
  assert.equal((await leftoversOf(path, 'tmp')).sort(), expected.sort());
  rmSync(path, { recursive: true });
  assert.equal((await removeLeftovers(path)).sort(), expected);
  assert.equal(
    readdirSync(root).sort(),
    all
      .filter((file) => !expected.includes(file))
      .map((file) => file.slice(root.length + 1))
      .sort(),
  );

  const first = await modelFolderSink(path);
  await encodeModel(modelWith('first'), first.openFile);
  await write('second');
  await first.close();
  assert.is(await tensorAt(path), 'first', 'the last to close wins');
});

test('a link to a folder stays one', async () => {
  const real = join(root, 'real');
  renameSync(path, real);
  symlinkSync('real', path);
  await write('new');
  assert.is(await tensorAt(real), 'new');
  assert.equal(readdirSync(root).sort(), ['model', 'real']);
  assert.is(realpathSync(path), real);
});

test.run();
