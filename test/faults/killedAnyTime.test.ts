import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../helpers/cli.js';
import { chosenCount } from './helpers/chosen.js';
import { COMMANDS, makeInputs, Scene } from './helpers/commands.js';

const KILLS = 200;
/** A run that ends before it is killed is followed by another one. */
const MOST_TRIES = 100;

const test = suite('killed at any time');

const folder = temporaryFolder();
const inputs = await makeInputs(5, [300, 400]);

for (const [i, command] of COMMANDS.entries()) {
  const scene = await Scene.open(command, inputs, join(folder, command.name));
  scene.reset();
  const start = performance.now();
  await scene.runWhole('new');
  let usual = performance.now() - start;
  scene.reset();

  /** Kills a run; the next one finds what this one leaves, until one ends well. */
  const kill = async (): Promise<readonly string[]> => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const moment = Math.random() * usual;
      const start = performance.now();
      const { signal } = await scene.run('new', {
        onStart: (child) => void sleep(moment).then(() => child.kill('SIGKILL')),
      });
      const left = scene.assertWhole();
      if (signal === 'SIGKILL') return left;
      assert.equal(left, []);
      scene.reset();
      // The machine may have been busy before.
      usual = Math.min(usual, performance.now() - start);
    }
    throw new Error(`${command.name}: no run was killed`);
  };

  const count = chosenCount(KILLS);
  for (let n = i; n < count; n += COMMANDS.length) {
    test(`${command.name}: kill ${n + 1} of ${count}`, async () => {
      const left = await kill();
      // Every third kill meets what another one has left.
      if (n % 3 === 0) await kill();
      else await scene.assertRecovers(left);
      await scene.runWhole('old');
    });
  }
}

test.run();
