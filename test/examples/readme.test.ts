import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../examples/demo/server.js';
import { compiled, ok, runCli, runProgram, temporaryFolder } from '../helpers/cli.js';
import { blocksOf, markdownFiles } from '../helpers/examples.js';
import { graphOf, modelProto, rawTensor } from '../helpers/onnxWriter.js';
import { pseudoRandomBytes } from '../helpers/random.js';

const test = suite('README');
const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = Array.from(readme.matchAll(/^```(\w*)\n(.*?)^```$/gms), ([, language, code]) => ({
  language: language!,
  code: code!,
}));
const programs = blocks.filter(({ language }) => language === 'ts').map(({ code }) => code);
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trim().split('\n'))
  .map((line) => line.replace(/ *#.*/, ''));

const quickstartFolder = join(root, 'examples/quickstart');
const quickstart = readdirSync(quickstartFolder).map((name) =>
  readFileSync(join(quickstartFolder, name), 'utf8'),
);

/** Where the README's programs and commands run, with a model in two formats. */
const folder = temporaryFolder();
copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
copyFileSync(join(root, 'examples/digits/digits.safetensors'), join(folder, 'model.safetensors'));
const weights = pseudoRandomBytes(64 * 48 * 4, 1);
writeFileSync(join(folder, 'model.onnx'), modelProto(graphOf([rawTensor('fc1.weight', [64, 48], weights)])));

test('every block is a page, a program or commands', () => {
  assert.equal([...new Set(blocks.map(({ language }) => language))].sort(), ['html', 'sh', 'ts']);
});

test('the programs are in examples/quickstart, and all of those in the README or the docs', () => {
  const shown = markdownFiles()
    .flatMap(blocksOf)
    .map(({ code }) => code);
  for (const program of programs) assert.ok(quickstart.includes(program), program);
  for (const program of quickstart) assert.ok(shown.includes(program), program);
});

test('the commands of holostream run, one after another', async () => {
  const own = commands.filter((command) => command.startsWith('npx holostream '));
  assert.ok(own.length >= 4);
  for (const command of own) ok(await runCli(command.split(' ').slice(2), { cwd: folder }));
  assert.equal(
    readFileSync(join(folder, 'copy.safetensors')),
    readFileSync(join(folder, 'model.safetensors')),
  );
});

test('the set-up commands are scripts of the package', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const others = commands.filter((command) => !command.startsWith('npx holostream '));
  assert.equal(others, ['npm install holostream rxjs', 'npm ci && npm run demo', 'npm ci && npm test']);
  assert.ok(scripts.demo && scripts.test);
});

test('the programs of examples/quickstart run', async () => {
  const cwd = { cwd: folder };
  ok(await runCli(['encode', 'model.safetensors', '-o', 'model/'], cwd));
  ok(await runCli(['encode', 'model.safetensors', '-o', 'model/model.holo.safetensors'], cwd));
  await using server = await serveFolder(join(folder, 'model'), 1000);
  const scripts = quickstart.map((program, i) => {
    const script = join(folder, `program-${i}.ts`);
    writeFileSync(script, program.replaceAll('https://example.org/model/', server.url));
    return script;
  });
  const outputs: string[] = [];
  for (const program of compiled(...scripts)) {
    outputs.push(ok(await runProgram(program, folder)).toString());
  }
  assert.match(outputs.join('\n'), /F32 \[ 192, 784 \] 150528\n602112 bytes of weights/);
  assert.match(outputs.join('\n'), /\[ 192, 784 \] 0\.9\d*\n.*exact: true\n/s);
  assert.match(outputs.join('\n'), /fragment \d+ of 16: cosine similarity 0\.99\d+\n/);
  assert.match(outputs.join('\n'), /1572864 -> 1\d{6} bytes\n\[ 4, 768 \] true/);
});

test.run();
