import { suite } from 'uvu';
import { assertRead, writeFiles } from '../helpers/files.js';
import { outcomeOf } from '../helpers/page.js';
import type { Server } from '../helpers/process.js';
import { Project } from '../helpers/project.js';

const test = suite('the packed package under Vite');
let project: Project;

test.before(async () => {
  project = await Project.create('vite');
  await writeFiles(project.path('public/files'));
});
test.after(() => project.remove());

const command = (version: string) => `node_modules/${version}/bin/vite.js`;

function serve(version: string, ...args: string[]): Promise<Server> {
  return project.serve('node', command(version), ...args, '--port', '0', '--host', '127.0.0.1');
}

test('the development server, without configuration, in Chromium', async () => {
  await using server = await serve('vite');
  assertRead(await outcomeOf(server.url));
});

for (const version of ['vite', 'vite-7']) {
  test(`${version}: the development server, which serves the modules as they are, in Chromium`, async () => {
    await using server = await serve(version, '--config', 'unbundled.config.js');
    assertRead(await outcomeOf(server.url));
  });

  test(`${version}: what it builds without configuration, in Chromium`, async () => {
    await project.run('node', command(version), 'build');
    await using server = await serve(version, 'preview');
    assertRead(await outcomeOf(server.url));
  });
}

test.run();
