import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../helpers/cli.js';
import { chosen } from './helpers/chosen.js';
import { COMMANDS, makeInputs, Scene } from './helpers/commands.js';

const test = suite('a signal at the n-th change of files');

/** The exit code is 128 and the number of the signal, as shells say it. */
const SIGNALS = [
  ['SIGINT', 130],
  ['SIGHUP', 129],
  ['SIGTERM', 143],
] as const;

const folder = temporaryFolder();
const inputs = await makeInputs(2, [70, 60]);

for (const command of COMMANDS) {
  const scene = await Scene.open(command, inputs, join(folder, command.name));
  const changes = await scene.countChanges(join(folder, 'count'));
  const moments = Array.from({ length: changes }, (_, n) => [n, ...SIGNALS[n % SIGNALS.length]!] as const);

  for (const [n, signal, expected] of chosen(moments)) {
    test(`${command.name}: ${signal} at change ${n} of ${changes}`, async () => {
      scene.reset();
      const faults = { FAULT_AT: String(n), FAULT_SIGNAL: signal };
      const { code, signal: endedBy, stderr } = await scene.run('new', { faults });
      assert.equal([code, endedBy], [expected, null], stderr);
      // What has been encoded waits for `--resume`.
      const left = scene.assertWhole();
      assert.equal(
        left.filter((name) => !name.endsWith('.holostream-staging')),
        [],
      );
      await scene.assertRecovers(left);
    });
  }
}

test.run();
