import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assertRead, writeFiles } from '../helpers/files.js';
import { outcomeOf } from '../helpers/page.js';
import { Project } from '../helpers/project.js';

const test = suite('the packed package in Next, without configuration');
let project: Project;

test.before(async () => {
  project = await Project.create('next');
  await writeFiles(project.path('public/files'));
});
test.after(() => project.remove());

for (const bundler of ['turbopack', 'webpack']) {
  test(`built by ${bundler}: a client component in Chromium, and a route on the server`, async () => {
    await project.run('next', 'build', `--${bundler}`);
    await using server = await project.serve('next', 'start', '-H', '127.0.0.1', '-p', '0');
    assertRead(await outcomeOf(server.url));
    const response = await fetch(`${server.url}server?base=${server.url}files/`);
    assert.is(response.status, 200);
    assertRead(await response.json());
  });
}

test.run();
