import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../helpers/cli.js';
import { chosen } from './helpers/chosen.js';
import { COMMANDS, type Command, makeInputs, Scene } from './helpers/commands.js';

const test = suite('disks that are full, or cannot be written to');

const KIB = 1024;
const DISK = 1024 * KIB;
/** Bytes that are free: none, less than any output takes, and more and more of it. */
const FREE = [0, 4, 16, 40, 80, 120, 160, 200].map((kib) => kib * KIB);

/** What has been encoded waits for `--resume`. */
const HINT = 'holostream: the tensors that are encoded are kept: the same command with --resume goes on\n';

const root = temporaryFolder();
const disk = join(root, 'disk');
mkdirSync(disk);
const inputs = await makeInputs(3, [150, 120]);

const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk], {
  encoding: 'utf8',
});
if (mounted.status === 0) {
  // Before the folder is deleted.
  process.prependListener('exit', () => spawnSync('umount', ['--lazy', disk]));
  for (const [i, command] of COMMANDS.entries()) await onSmallDisk(command, join(disk, String(i)));
} else {
  console.log('note: no disk was full, because only root may mount a small one (tmpfs)');
}
if (process.getuid?.() !== 0) for (const command of COMMANDS) await withoutPermission(command);

/** A tmpfs gives whole pages. */
function freeBytes(): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

/** Takes the space of the disk, but for some bytes. */
function fill(left: number): void {
  const file = openSync(join(disk, 'ballast'), 'w');
  for (let taken = freeBytes() - left; taken > 0; ) taken -= writeSync(file, new Uint8Array(taken));
  closeSync(file);
}

async function onSmallDisk(command: Command, folder: string): Promise<void> {
  const scene = await Scene.open(command, inputs, folder, join(root, command.name));
  scene.target.reset('nothing');
  for (const free of chosen(FREE)) {
    test(`${command.name}: ${free / KIB} KiB are free`, async () => {
      scene.reset();
      fill(free);
      const { code, stderr } = await scene.run('new');
      rmSync(join(disk, 'ballast'));
      const left = scene.assertWhole();
      if (code === 0) assert.is(scene.target.version(), 'new');
      else {
        assert.is(code, 1, stderr);
        const kept = left.filter((name) => name.endsWith('.holostream-staging'));
        const hint = kept.length > 0 ? HINT : '';
        assert.ok(stderr.startsWith(hint), stderr);
        assert.match(
          stderr.slice(hint.length),
          /^holostream: Cannot [^\n]*: the disk is full \([^\n]*\)\n$/,
          stderr,
        );
        assert.equal(left, kept);
      }
      await scene.assertRecovers(left);
      scene.target.reset('nothing');
    });
  }

  test(`${command.name}: the disk is read-only`, async () => {
    scene.reset();
    await whileReadOnly(scene, async () => {
      spawnSync('mount', ['-o', 'remount,ro', disk]);
      return async () => void spawnSync('mount', ['-o', 'remount,rw', disk]);
    });
    scene.target.reset('nothing');
  });
}

async function withoutPermission(command: Command): Promise<void> {
  const scene = await Scene.open(command, inputs, join(root, command.name));
  test(`${command.name}: the folder may not be written to`, async () => {
    scene.reset();
    await whileReadOnly(scene, async () => {
      chmodSync(scene.target.folder, 0o555);
      return async () => chmodSync(scene.target.folder, 0o755);
    });
  });
}

async function whileReadOnly(scene: Scene, lock: () => Promise<() => Promise<void>>): Promise<void> {
  const unlock = await lock();
  const { code, stderr } = await scene.run('new').finally(unlock);
  assert.is(code, 1, stderr);
  assert.match(
    stderr,
    /^holostream: Cannot [^\n]*: (the file system is read-only|this user has no permission) \([^\n]*\)\n$/,
  );
  assert.equal(scene.assertWhole(), []);
  await scene.assertRecovers([]);
}

test.run();
