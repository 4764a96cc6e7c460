import { readFileSync, writeFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FolderServer, serveFolder } from '../../../examples/demo/server.js';
import { assertInputs, assertRead, INPUTS, writeFiles } from '../helpers/files.js';
import { Project } from '../helpers/project.js';

const test = suite('the packed package in Node');
let project: Project;
let server: FolderServer;

test.before(async () => {
  project = await Project.create('node');
  await writeFiles(project.path('files'));
  server = await serveFolder(project.path('files'), 65536);
});
test.after(async () => {
  await server[Symbol.asyncDispose]();
  project.remove();
});

test('imported', async () => {
  assertRead(JSON.parse(await project.run('node', 'process.js', server.url)));
});

test('required: a program that is CommonJS, as compilers to it write it', async () => {
  for (const name of ['check', 'process']) {
    const code = readFileSync(project.path(`${name}.js`), 'utf8')
      .replace('./check.js', './check.cjs')
      // CommonJS has no await at its top.
      .replace(/^(console\.log.*)$/m, '(async () => { $1 })();');
    writeFileSync(project.path(`${name}.cjs`), transformSync(code, { format: 'cjs' }).code);
  }
  assert.match(readFileSync(project.path('check.cjs'), 'utf8'), 'require("holostream")');
  assertRead(JSON.parse(await project.run('node', 'process.cjs', server.url)));
});

test('holostream/node: files written and read, with workers', async () => {
  const differences = JSON.parse(await project.run('node', 'files.js', project.folder));
  assert.equal(differences, { HctReader: 0, HoloTensorReader: 0 });
});

test('the command', async () => {
  const { version } = JSON.parse(readFileSync(project.path('node_modules/holostream/package.json'), 'utf8'));
  assert.is((await project.run('holostream', '--version')).trim(), version);
  await project.run('holostream', 'decode', 'files/model.holo.safetensors', '-o', 'model.safetensors');
  const original = new URL('../../../examples/digits/digits.safetensors', import.meta.url);
  assert.equal(readFileSync(project.path('model.safetensors')), readFileSync(original));
});

test('anything that bytes come from', async () => {
  assertInputs(JSON.parse(await project.run('node', 'inputs.js', ...INPUTS, `${server.url}zstd.hct`)));
});

test.run();
