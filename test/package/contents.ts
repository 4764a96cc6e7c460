import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JOINED_FILES } from '../../scripts/joinModules.js';
import { SHARED_FOLDER } from '../../scripts/onDemand.js';
import {
  installPacked,
  linkPackages,
  npm,
  type PackedPackage,
  packPackage,
  runModule,
} from '../helpers/packedPackage.js';

export const test = suite('package: contents');

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const packed = packPackage();
const project = installPacked();
const installed = join(project, 'node_modules/holostream');
const broughtAlong = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
linkPackages(project, 'rxjs', 'web-streams-polyfill');
const paths = packed.files.map(({ path }) => path);

const DOCUMENTS = [
  ...['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md', 'THIRD_PARTY_NOTICES'],
  ...['bench/README.md', 'examples/README.md', 'examples/no-build/README.md', 'package.json'],
];
const MAX_UNPACKED_BYTES = 5_275_000;
const MAX_PACKED_BYTES = 1_895_000;

test('npm would publish the built code, its types and the documents, and nothing else', () => {
  const flags = ['--dry-run', '--json', '--offline', '--ignore-scripts'];
  // Where npm keeps what it would publish: by name from version 11 on.
  const answer = JSON.parse(npm(packed.folder, 'publish', ...flags));
  const published: PackedPackage & { id: string } = answer[manifest.name] ?? answer;
  assert.is(published.id, `holostream@${manifest.version}`);
  assert.equal(
    published.files.map(({ path }) => path),
    paths,
  );
  const others = paths.filter((path) => !/^dist\/|^docs\/.*\.(md|svg)$/.test(path));
  assert.equal(others.sort(), DOCUMENTS);
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const [, link] of readme.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
    assert.ok(paths.includes(link!), `README.md links to ${link}, which is in the package`);
  }
  for (const path of paths.filter((path) => path.startsWith('dist/'))) {
    assert.match(path, /^dist\/([\w-]+\/)*[\w.-]+(\.d\.ts|(?<!\.test)\.js)$/);
    const types = path.replace(/\.js$/, '.d.ts');
    const joined = JOINED_FILES.includes(path.slice('dist/'.length));
    const bundled = path.startsWith('dist/cli/') || path.startsWith(`dist/${SHARED_FOLDER}/`);
    const typed = !bundled && !isScript(path) && !joined;
    if (typed) assert.ok(paths.includes(types), `${path} has types`);
  }
  assert.ok(packed.unpackedSize < MAX_UNPACKED_BYTES, `${packed.unpackedSize} bytes`);
  assert.ok(packed.size < MAX_PACKED_BYTES, `${packed.size} bytes packed`);
});

/** One that pages or Service Workers load as it is. */
function isScript(path: string): boolean {
  return path.endsWith('.min.js') || path === 'dist/service-worker.js';
}

test('the licence and every target of `exports` and `bin` are in the package', () => {
  assert.is(manifest.license, 'MIT');
  assert.match(readFileSync(join(installed, 'LICENSE'), 'utf8'), /^MIT License/);
  const { './package.json': _, ...entries } = manifest.exports;
  for (const { types, default: code } of Object.values<{ types: string; default: string }>(entries)) {
    assert.ok(paths.includes(types.slice(2)), types);
    assert.ok(paths.includes(code.slice(2)), code);
  }
  assert.ok(paths.includes(manifest.bin.holostream));
});

test('every entry can be required: nothing in it awaits at its top', async () => {
  // The worker's script is none to load outside of a worker.
  const entries = Object.keys(manifest.exports).filter((entry) => entry !== './worker');
  const code = `
    import { createRequire } from 'node:module';
    const require = createRequire(process.cwd() + '/');
    for (const entry of process.argv.slice(1)) require('holostream' + entry.slice(1));
    console.log(typeof require('holostream').openModel);
  `;
  assert.is(await runModule(project, code, { flags: ['--no-warnings'], args: entries }), 'function');
});

test('an install brings no other package', () => {
  assert.is(manifest.dependencies, undefined);
  assert.equal(broughtAlong, ['holostream']);
});

test('built modules and types import each other by full names, and of packages only the peers', async () => {
  const imports = [...(await importsOfModules()), ...importsOfTypes()];
  assert.ok(imports.length > paths.length / 2);
  const peers = Object.keys(manifest.peerDependencies);
  for (const [path, specifier] of imports) {
    if (specifier.startsWith('.')) {
      assert.match(specifier, /\.js$/, path);
      assert.ok(paths.includes(join(path, '..', specifier)), `${path} imports ${specifier}`);
    } else {
      assert.ok(isBuiltin(specifier) || peers.includes(specifier), `${path} imports ${specifier}`);
    }
  }
});

test('types repeat no embedded modules', () => {
  for (const path of paths.filter((path) => path.endsWith('.d.ts'))) {
    assert.not.match(readFileSync(join(installed, path), 'utf8'), /[A-Za-z0-9+/=]{200}/, path);
  }
});

test('types use no generic typed arrays, which TypeScript has since 5.7', () => {
  for (const path of paths.filter((path) => path.endsWith('.d.ts'))) {
    // Comments are for readers.
    const types = readFileSync(join(installed, path), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
    assert.not.match(types, /\w+Array<\w*Array/, path);
  }
});

test('types of the entries import no package that need not be installed', () => {
  const imports = importsOfTypes();
  const entries = paths.filter((path) => JSON.stringify(manifest.exports).includes(`"./${path}"`));
  const reached = new Set(entries.filter((path) => path.endsWith('.d.ts')));
  assert.ok(reached.size > 5);
  for (const path of reached) {
    for (const [, specifier] of imports.filter(([importer]) => importer === path)) {
      if (specifier.startsWith('.')) reached.add(join(path, '..', specifier.replace(/\.js$/, '.d.ts')));
      else assert.ok(isBuiltin(specifier) || specifier === 'rxjs', `${path} imports ${specifier}`);
    }
  }
});

/** Each built module with each of its imports, as esbuild reads them. */
async function importsOfModules(): Promise<[string, string][]> {
  const imports: [string, string][] = [];
  await build({
    entryPoints: paths.filter((path) => path.endsWith('.js')).map((path) => join(installed, path)),
    outdir: 'nowhere',
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    plugins: [
      {
        name: 'record',
        setup({ onResolve }) {
          onResolve({ filter: /./ }, ({ kind, path, importer }) => {
            if (kind === 'entry-point') return undefined;
            imports.push([relative(installed, importer), path]);
            return { external: true };
          });
        },
      },
    ],
  });
  return imports;
}

function importsOfTypes(): [string, string][] {
  return paths
    .filter((path) => path.endsWith('.d.ts'))
    .flatMap((path) => {
      const code = readFileSync(join(installed, path), 'utf8').replace(/^\s*(\/?\*|\/\/).*$/gm, '');
      return Array.from(code.matchAll(/(?:\bfrom|\bimport)\s*\(?['"]([^'"]+)['"]/g), ([, specifier]) => {
        return [path, specifier!] satisfies [string, string];
      });
    });
}

test('the command runs from an install', () => {
  const output = execFileSync(join(project, 'node_modules/.bin/holostream'), ['--version'], {
    encoding: 'utf8',
  });
  assert.is(output.trim(), manifest.version);
});

test('the portable DCT, with its FFT bundled, runs from an install', async () => {
  const script = `
    import { dct2d, idct2d } from 'holostream/formats';
    const data = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
    const back = idct2d(dct2d(data, 4, 6), 4, 6);
    console.log(Math.max(...back.map((value, i) => Math.abs(value - data[i]))) < 1e-6);
  `;
  assert.is(await runModule(project, script), 'true');
});
