import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { installPacked, linkPackages, packPackage, runModule } from '../helpers/packedPackage.js';

const test = suite('package: contents');

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const packed = packPackage();
const project = installPacked(packed);
const installed = join(project, 'node_modules/holostream');
const paths = packed.files.map(({ path }) => path);

test('an install brings no other package', () => {
  assert.is(manifest.dependencies, undefined);
  assert.equal(
    readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.')),
    ['holostream'],
  );
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
  linkPackages(project, 'rxjs');
  assert.is(await runModule(project, script), 'true');
});

test.run();
