import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Project } from '../helpers/project.js';

const test = suite('the packed package in TypeScript');
let project: Project;

test.before(async () => {
  project = await Project.create('typescript');
});
test.after(() => project.remove());

const COMPILERS = ['typescript-5.4', 'typescript-5.9', 'typescript-latest'];

/** What a project has of types beside the package's own, how it resolves modules, and what it compiles. */
const SETTINGS = [
  { name: 'a browser', lib: ['es2022', 'dom'], types: [], files: ['everything.ts', 'program.ts'] },
  { name: 'Node', lib: ['es2022'], types: ['node'], files: ['everythingInNode.ts', 'program.ts'] },
].flatMap((setting) => [
  { ...setting, module: 'es2022', moduleResolution: 'bundler' },
  { ...setting, module: 'nodenext', moduleResolution: 'nodenext' },
]);

for (const compiler of COMPILERS) {
  for (const { name, files, ...options } of SETTINGS) {
    test(`${compiler}, ${options.moduleResolution}, ${name}`, () => compile(compiler, files, options));
  }
  test(`${compiler}, await using`, () =>
    compile(compiler, ['disposal.ts'], {
      lib: ['es2022', 'esnext.disposable', 'dom'],
      types: ['node'],
      module: 'nodenext',
    }));
}

test('the programs import every entry', () => {
  const manifest = JSON.parse(readFileSync(project.path('node_modules/holostream/package.json'), 'utf8'));
  const code = ['everything.ts', 'everythingInNode.ts'].map((file) =>
    readFileSync(project.path(file), 'utf8'),
  );
  for (const entry of Object.keys(manifest.exports).filter((entry) => entry !== './package.json')) {
    assert.match(code.join('\n'), `'${entry.replace('.', 'holostream')}'`);
  }
});

async function compile(compiler: string, files: readonly string[], options: object): Promise<void> {
  const compilerOptions = {
    ...options,
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(project.path('tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await project.run('node', `node_modules/${compiler}/bin/tsc`, '-p', 'tsconfig.json');
}

test.run();
