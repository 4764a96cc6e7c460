import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../examples/demo/server.js';
import { compiled, ok, runCli, runProgram, temporaryFolder } from '../helpers/cli.js';
import { blocksOf, documentedExamples, type Example, markdownFiles } from '../helpers/examples.js';
import { exportedNames } from '../helpers/exportedNames.js';

const test = suite('examples in the documentation and in docstrings');
const root = fileURLToPath(new URL('../..', import.meta.url));

/** What only a browser has, and what needs Redis. Examples with it are compiled, not run. */
const NEEDS_OTHERS = /\b(opfsStore|cacheApiStore|document|navigator|addModels|workBulk|bulkStatus)\b/;

const examples = documentedExamples();
const modules = examplesAsModules(await exportedNames());

/** One folder a program: its file, and beside it the files that examples read. */
const folder = temporaryFolder();
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');

test('there are examples in documents and in docstrings', () => {
  assert.ok(examples.filter(({ inDocstring }) => inDocstring).length >= 30);
  assert.ok(examples.filter(({ inDocstring }) => !inDocstring).length >= 6);
});

test('every block of a document says in which language it is', () => {
  for (const { name, language } of markdownFiles().flatMap(blocksOf)) assert.ok(language, name);
});

test('every link between documents has a target', () => {
  const documents = [...markdownFiles(), 'CONTRIBUTING.md', 'CHANGELOG.md', ...readmes()];
  for (const file of documents) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, link] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(file), link!)), `${file} links to ${link}`);
    }
  }
});

test('every file of the repository that a document names is there', () => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^\.|^dist$|^node_modules$/.test(entry.name))
    .map(({ name }) => name);
  const pattern = new RegExp(`\`((?:${folders.join('|')})/[\\w./-]*)\``, 'g');
  for (const file of [...markdownFiles(), 'CONTRIBUTING.md', ...readmes()]) {
    const named = Array.from(readFileSync(join(root, file), 'utf8').matchAll(pattern), ([, path]) => path!);
    for (const path of named) assert.ok(existsSync(join(root, path)), `${file} names ${path}`);
  }
});

test('the hook for React is the one that runs in a browser', () => {
  const shown = markdownFiles().flatMap(blocksOf);
  const hook = readFileSync(join(root, 'examples/react/useModel.js'), 'utf8');
  assert.ok(shown.some(({ language, code }) => language === 'js' && code === hook));
});

test('all of them compile against the public entries', () => {
  for (const [i, code] of modules.entries()) writeFileSync(join(folder, fileName(i)), code);
  const config = {
    extends: join(root, 'tsconfig.json'),
    // An example shows what a call returns: it need not go on with it.
    compilerOptions: { noUnusedLocals: false, typeRoots: [join(root, 'node_modules/@types')] },
    // What bulk/ uses of packages that are not installed is declared in the second.
    include: ['*.ts', join(root, 'bulk/peers.d.ts')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const messages = stdout.replace(/example-(\d+)\.ts/g, (_, i) => examples[Number(i)]!.name);
  assert.is(messages, '');
  assert.is(status, 0);
});

test('every value of the main entry is in a document or a program in examples/', async () => {
  const shown = examples.filter(({ inDocstring }) => !inDocstring);
  const { holostream } = await exportedNames();
  assert.equal(unusedOf(holostream!, shown), []);
});

test('every value of the others is in one of these or in an example of a docstring', async () => {
  const { 'holostream/formats': described, ...entries } = await exportedNames();
  // What files consist of is described by docs/formats/.
  assert.ok(described!.length > 0);
  for (const [entry, names] of Object.entries(entries)) assert.equal(unusedOf(names, examples), [], entry);
});

function unusedOf(names: readonly string[], shown: readonly Example[]): string[] {
  const programs = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.([jt]s|html)$/.test(name))
    .map((name) => readFileSync(join(root, 'examples', name), 'utf8'));
  const words = new Set([...programs, ...shown.map(({ code }) => code)].join('\n').match(/\w+/g));
  return names.filter((name) => !words.has(name));
}

/** Of files that an example has left open, Node then writes a warning. */
const COLLECT_GARBAGE = `
(await import('node:v8')).setFlagsFromString('--expose-gc');
(await import('node:vm')).runInNewContext('gc')();
await new Promise((resolve) => setTimeout(resolve, 20));`;

test('those that need neither a browser nor Redis run, and close what they open', async () => {
  const files = await exampleFiles();
  await using server = await serveFolder(files, 16_384);
  const runnable = [...modules.entries()].filter(([, code]) => !NEEDS_OTHERS.test(withoutComments(code)));
  const steps = runnable.map(([i, code]) => {
    const home = join(folder, `run-${i}`);
    cpSync(files, home, { recursive: true });
    writeFileSync(join(home, fileName(i)), code.replace(/https:\/\/example\.org\//g, server.url));
    const { name } = examples[i]!;
    return `process.chdir(${JSON.stringify(home)});
console.log(${JSON.stringify(`# ${name}`)});
await import(${JSON.stringify(`./run-${i}/${fileName(i)}`)});`;
  });
  const runner = join(folder, 'runner.ts');
  writeFileSync(runner, [...steps, COLLECT_GARBAGE].join('\n'));
  const input = readFileSync(join(files, 'fc1.weight.hct'));
  const output = ok(await runProgram(compiled(runner)[0]!, folder, { input })).toString();
  const ran = Array.from(output.matchAll(/^# (.*)$/gm), ([, name]) => name);
  assert.equal(
    ran,
    runnable.map(([i]) => examples[i]!.name),
  );
});

/** The files that examples read: the digits model in all forms. */
async function exampleFiles(): Promise<string> {
  const files = join(folder, 'files');
  mkdirSync(files);
  copyFileSync(join(root, 'examples/digits/digits.safetensors'), join(files, 'model.safetensors'));
  copyFileSync(join(root, 'test/fixtures/inputs/onnx/typed.onnx'), join(files, 'model.onnx'));
  const commands = [
    'encode model.safetensors -o model/',
    'encode model.safetensors -o model.holo.safetensors',
    'encode model.safetensors --tensor fc1.weight -o fc1.weight.holo',
  ];
  for (const command of commands) ok(await runCli(command.split(' '), { cwd: files }));
  cpSync(join(files, 'model'), files, { recursive: true });
  return files;
}

/** The READMEs of folders, but for the root's. */
function readmes(): string[] {
  return ['bench', 'examples', 'examples/digits', 'examples/onnxruntime', 'examples/page', 'src/kernels'].map(
    (folder) => `${folder}/README.md`,
  );
}

function fileName(i: number): string {
  return `example-${i}.ts`;
}

/** Docstrings' examples get an import of each name of the package that they use; all become modules. */
function examplesAsModules(exported: Record<string, string[]>): string[] {
  const entryOf = new Map<string, string>();
  // The main entry comes last: what it exports, examples take from there.
  for (const [entry, names] of Object.entries(exported).reverse())
    for (const name of names) entryOf.set(name, entry);
  return examples.map(({ code, inDocstring }: Example) => {
    const used = inDocstring ? identifiersOf(code).filter((name) => entryOf.has(name)) : [];
    const imports = used.map((name) => `import { ${name} } from '${entryOf.get(name)}';\n`);
    return `${imports.join('')}${code}\nexport {};\n`;
  });
}

/** Names that an example takes from elsewhere: no members, and none that it imports or declares itself. */
function identifiersOf(code: string): string[] {
  const declarations = code.matchAll(/^(?:import|const|let|function|class) (\{.*?\}|\[.*?\]|\w+)/gms);
  const own = Array.from(declarations, ([, names]) => names!).join();
  const plain = withoutComments(code).replace(/'[^'\n]*'/g, "''");
  const names = Array.from(plain.matchAll(/(?<![.\w$])[A-Za-z_$][\w$]*/g), ([name]) => name);
  return [...new Set(names)].filter((name) => !new RegExp(`\\b${name}\\b`).test(own));
}

function withoutComments(code: string): string {
  return code.replace(/^\s*\/\/.*$|\s\/\/ .*$/gm, '');
}

test.run();
