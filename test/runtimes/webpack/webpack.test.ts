import { copyFileSync } from 'node:fs';
import { suite } from 'uvu';
import { serveFolder } from '../../../examples/demo/server.js';
import { assertRead, writeFiles } from '../helpers/files.js';
import { outcomeOf } from '../helpers/page.js';
import { Project } from '../helpers/project.js';

const test = suite('the packed package, bundled by webpack');
let project: Project;

test.before(async () => {
  project = await Project.create('webpack');
});
test.after(() => project.remove());

test('through its Node API, without warnings, in Chromium', async () => {
  await project.run('node', 'build.js');
  copyFileSync(project.path('index.html'), project.path('site/index.html'));
  await writeFiles(project.path('site'));
  await using server = await serveFolder(project.path('site'), 65536);
  assertRead(await outcomeOf(server.url));
});

test.run();
