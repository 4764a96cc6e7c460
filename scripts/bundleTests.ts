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

/** In place of `fast-check`, shows more of what fails. */
const showErrors: Plugin = {
  name: 'show errors',
  setup({ onResolve }) {
    const path = join(import.meta.dirname, 'propertyErrors.ts');
    onResolve({ filter: /^fast-check$/ }, ({ importer }) =>
      importer === path ? { external: true } : { path },
    );
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

/**
 * Tests of the upper floors: the module of each would hold most of the product, and nearly the same as its neighbours'.
 * Modules of smaller parts would only grow by those of others, which every process would have to read.
 */
const SHARING = /^test\/(adapters|bulk|cli|examples|models|readers)\//;
/** Of neighbours that share a module. More in one save little, and make it larger. */
const MAX_SHARING = 12;

/** Namespace of modules that run one of several test files: the one that their argument names. */
const SHARED = 'tests';

/** Test files as modules. */
export interface TestModules {
  /** The path of the module that a file is in. */
  moduleOf(file: string): string;
  /** Writes the source map of a file's module beside it. */
  mapSources(file: string): Promise<void>;
}

/**
 * Compiles test files, with what they import, into modules: one starts in a third of the time that the hundred chunks
 * take that it would share with others, and needs no TypeScript loader. A module takes the path of the test file to run
 * as its argument. The modules are there until the process ends.
 */
export async function bundleTests(root: string, files: readonly string[]): Promise<TestModules> {
  // Inside the package, where its dependencies are found.
  const outdir = mkdtempSync(join(root, 'node_modules/.tests-'));
  process.once('exit', () => rmSync(outdir, { recursive: true }));
  const groups = groupsOf(files);
  const shared: Plugin = {
    name: 'shared modules',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${SHARED}:`) }, ({ path }) => ({ path, namespace: SHARED }));
      onLoad({ filter: /./, namespace: SHARED }, ({ path }) => {
        const group = groups.get(path)!;
        const imports = group.map((file) => `${JSON.stringify(file)}: () => import('./${file}'),`);
        // What it imports is run when it is called: by the files that are not run, nothing.
        const contents = `const tests = {\n${imports.join('\n')}\n};\nawait tests[process.argv[2]]();`;
        return { contents, resolveDir: root };
      });
    },
  };
  const compile = async (entryPoints: readonly string[], sourcemap: boolean) => {
    await build({
      absWorkingDir: root,
      entryPoints: entryPoints.map((path) => ({ in: path, out: nameOf(path) })),
      outdir,
      ...FOR_NODE,
      splitting: false,
      sourcemap,
      // The sources are at their places.
      sourcesContent: false,
      define: PLACE,
      // In the module: alone, RxJS's two hundred files take a tenth of a second.
      alias: { 'rxjs/testing': join(root, RXJS, 'testing/index.js'), rxjs: join(root, RXJS, 'index.js') },
      plugins: [shared, showErrors, keepPlace],
    });
  };
  const entryOf = new Map(
    [...groups].flatMap(([entry, group]) => group.map((file) => [file, entry] as const)),
  );
  // Source maps take a sixth of the time, and only files that fail need them. Compiled again, a file gives the same code.
  await compile([...groups.keys()], false);
  return {
    moduleOf: (file) => join(outdir, `${nameOf(entryOf.get(file)!)}.js`),
    mapSources: (file) => compile([entryOf.get(file)!], true),
  };
}

/** Entries of modules, and the test files in each. */
function groupsOf(files: readonly string[]): Map<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>(
    files.filter((file) => !SHARING.test(file)).map((file) => [file, [file]]),
  );
  const sharing = files.filter((file) => SHARING.test(file)).sort();
  for (let i = 0; i < sharing.length; i += MAX_SHARING) {
    groups.set(`${SHARED}:${sharing[i]}`, sharing.slice(i, i + MAX_SHARING));
  }
  return groups;
}

/** The path of an entry's module in the folder of modules, without its end. */
function nameOf(entry: string): string {
  return entry.replace(`${SHARED}:`, `${SHARED}/`).replace(/\.ts$/, '');
}
