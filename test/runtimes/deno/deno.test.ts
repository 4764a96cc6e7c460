import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FolderServer, serveFolder } from '../../../examples/demo/server.js';
import { fileServer } from '../../helpers/fileServer.js';
import { modelOf } from '../../helpers/models.js';
import { assertInputs, assertRead, INPUTS, writeFiles } from '../helpers/files.js';
import { Project } from '../helpers/project.js';

const test = suite('the packed package in Deno, with no more permissions than it takes');
let project: Project;
let server: FolderServer;
let deno: string;

test.before(async () => {
  project = await Project.create('deno');
  deno = project.binary('@deno', 'deno');
  await writeFiles(project.path('files'));
  server = await serveFolder(project.path('files'), 65536);
});
test.after(async () => {
  await server[Symbol.asyncDispose]();
  project.remove();
});

test('files over HTTP, with workers', async () => {
  assertRead(
    JSON.parse(
      await project.run(
        deno,
        'run',
        '--no-prompt',
        '--allow-net=127.0.0.1',
        '--allow-read=.',
        'process.js',
        server.url,
      ),
    ),
  );
});

test('its Cache API, which ignores options, keeps a model for the next time, without the server', async () => {
  const file = modelOf([{ name: 'w', dtype: 'F32', shape: [100, 300] }]);
  await using site = await fileServer({ 'm.safetensors': file });
  const url = `${site.url}m.safetensors`;
  const output = await project.run(deno, 'run', '--no-prompt', '--allow-net=127.0.0.1', 'cache.js', url);
  assert.equal(JSON.parse(output), { first: 1, offline: 1, events: [] });
  assert.is(site.requests.length, 2);
});

test('holostream/node: files written and read, with workers', async () => {
  const differences = JSON.parse(
    await project.run(
      deno,
      'run',
      '--no-prompt',
      '--allow-read=.',
      '--allow-write=files',
      'files.js',
      'files',
    ),
  );
  assert.equal(differences, { HctReader: 0, HoloTensorReader: 0 });
});

test('anything that bytes come from', async () => {
  assertInputs(
    JSON.parse(
      await project.run(
        deno,
        'run',
        '--no-prompt',
        '--allow-net=127.0.0.1',
        '--allow-read=.',
        'inputs.js',
        ...INPUTS,
        `${server.url}zstd.hct`,
      ),
    ),
  );
});

test.run();
