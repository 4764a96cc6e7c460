import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Project } from '../helpers/project.js';

const test = suite('the packed package under publint and attw');
let project: Project;

test.before(async () => {
  project = await Project.create('publishing');
});
test.after(() => project.remove());

test('publint has nothing to say', async () => {
  const said = await project.run('publint', 'run', 'node_modules/holostream', '--strict', '--pack', 'false');
  assert.match(said, /All good!/);
});

// The one exception: attw's warning that `require` gets an ES module. That is meant; Node 20.19 and later can require one.
test('types and code of every entry are found together', async () => {
  const args = ['pack', '--silent', '--ignore-scripts', './node_modules/holostream'];
  const tarball = (await project.run('npm', ...args)).trim();
  const said = await project.run(
    'attw',
    tarball,
    '--profile',
    'esm-only',
    '--no-emoji',
    '--format',
    'table-flipped',
  );
  assert.match(said, 'holostream/polyfill');
});

test.run();
