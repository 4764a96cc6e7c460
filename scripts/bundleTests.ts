import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** Code for Node in chunks, with packages outside. */
export const FOR_NODE = {
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
} as const;

/** Names for what modules know of their place. Modules of a bundle get the values that they had as files. */
const PLACE = { 'import.meta.url': '__sourceUrl', 'import.meta.dirname': '__sourceFolder' } as const;

/** RxJS as modules that can be bundled in part. */
const RXJS = 'node_modules/rxjs/dist/esm';

/** In place of packages: modules that show more of what fails. */
const REPLACED = { uvu: 'hookErrors.ts', 'fast-check': 'propertyErrors.ts' };

const showErrors: Plugin = {
  name: 'show errors',
  setup({ onResolve }) {
    for (const [name, file] of Object.entries(REPLACED)) {
      const path = join(import.meta.dirname, file);
      onResolve({ filter: new RegExp(`^${name}$`) }, ({ importer }) =>
        importer === path ? { external: true } : { path },
      );
    }
  },
};

const keepPlace: Plugin = {
  name: 'keep import.meta',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const values = [pathToFileURL(path).href, dirname(path)];
      const place = Object.values(PLACE).map((name, i) => `const ${name} = ${JSON.stringify(values[i])};`);
      return { contents: `${place.join('')}${await readFile(path, 'utf8')}`, loader: 'ts' };
    });
  },
};

/** Test files as modules. */
export interface TestModules {
  /** The path of a file's module. */
  moduleOf(file: string): string;
  /** Writes the source map of a file's module beside it. */
  mapSources(file: string): Promise<void>;
}

/**
 * Compiles each test file, with what it imports, into one module: it starts in a third of the time that the hundred
 * chunks take that it would share with others, and needs no TypeScript loader. The modules are there until the process ends.
 */
export async function bundleTests(root: string, files: readonly string[]): Promise<TestModules> {
  // Inside the package, where its dependencies are found.
  const outdir = mkdtempSync(join(root, 'node_modules/.tests-'));
  process.once('exit', () => rmSync(outdir, { recursive: true }));
  const compile = async (entryPoints: readonly string[], sourcemap: boolean) => {
    await build({
      absWorkingDir: root,
      entryPoints: [...entryPoints],
      outdir,
      outbase: root,
      ...FOR_NODE,
      splitting: false,
      sourcemap,
      // The sources are at their places.
      sourcesContent: false,
      define: PLACE,
      // In the module: alone, RxJS's two hundred files take a tenth of a second.
      alias: { 'rxjs/testing': join(root, RXJS, 'testing/index.js'), rxjs: join(root, RXJS, 'index.js') },
      plugins: [showErrors, keepPlace],
    });
  };
  // Source maps take a sixth of the time, and only files that fail need them. Compiled again, a file gives the same code.
  await compile(files, false);
  return {
    moduleOf: (file) => join(outdir, file.replace(/\.ts$/, '.js')),
    mapSources: (file) => compile([file], true),
  };
}
