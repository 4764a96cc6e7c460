import { suite } from 'uvu';
import { assertRead, writeFiles } from '../helpers/files.js';
import { outcomeOf } from '../helpers/page.js';
import { Project } from '../helpers/project.js';

const test = suite('the packed package under Vite');
let project: Project;

test.before(async () => {
  project = await Project.create('vite');
  await writeFiles(project.path('public/files'));
});
test.after(() => project.remove());

const ADDRESS = ['--port', '0', '--host', '127.0.0.1'];

test('the development server, without configuration, in Chromium', async () => {
  await using server = await project.serve('vite', ...ADDRESS);
  assertRead(await outcomeOf(server.url));
});

test('the development server, which serves the modules as they are, in Chromium', async () => {
  await using server = await project.serve('vite', '--config', 'unbundled.config.js', ...ADDRESS);
  assertRead(await outcomeOf(server.url));
});

test('what it builds, in Chromium', async () => {
  await project.run('vite', 'build');
  await using server = await project.serve('vite', 'preview', ...ADDRESS);
  assertRead(await outcomeOf(server.url));
});

test.run();
