import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../helpers/cli.js';
import { chosen } from './helpers/chosen.js';
import { COMMANDS, makeInputs, Scene } from './helpers/commands.js';

const test = suite('killed at the n-th change of files');

const folder = temporaryFolder();
const inputs = await makeInputs(2, [70, 60]);

for (const command of COMMANDS) {
  const scene = await Scene.open(command, inputs, join(folder, command.name));
  const changes = await scene.countChanges(join(folder, 'count'));
  assert.ok(changes > 3, `${command.name}: ${changes} changes`);

  for (const n of chosen(Array.from({ length: changes }, (_, i) => i))) {
    test(`${command.name}: killed at change ${n} of ${changes}`, async () => {
      scene.reset();
      const { signal } = await scene.run('new', { faults: { FAULT_AT: String(n) } });
      assert.is(signal, 'SIGKILL');
      await scene.assertRecovers(scene.assertWhole());
    });
  }
}

test.run();
