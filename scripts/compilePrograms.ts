import { copyFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';
import { FOR_NODE } from './bundleTests.js';

/** Names the module of the command line, which is compiled once for all tests. */
export const COMMAND_VARIABLE = 'HOLOSTREAM_TEST_COMMAND';

/**
 * Compiles programs of the repository, or such as import the package by its name, and the packages that they need: a
 * start takes a sixth of the time that it takes to transpile a hundred modules one by one and to find RxJS's two
 * hundred, and tests start the same program a hundred times.
 * @param sources of different names
 * @param folder new and empty
 * @returns the paths of their modules, which are in one folder
 */
export function compilePrograms(root: string, sources: readonly string[], folder: string): string[] {
  // The command finds its version through the package's own name.
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  buildSync({
    absWorkingDir: root,
    // Threads find their script beside the chunk that starts them.
    entryPoints: {
      ...Object.fromEntries(sources.map((source) => [basename(source, '.ts'), source])),
      worker: join(root, 'workers/worker.ts'),
    },
    outdir: join(folder, 'dist/cli'),
    tsconfig: join(root, 'tsconfig.json'),
    ...FOR_NODE,
    // One file starts in three quarters of the time of its chunks. Many would repeat each other.
    splitting: sources.length > 1,
    packages: 'bundle',
    nodePaths: [join(root, 'node_modules')],
    // Packages in CommonJS require Node's modules.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    // The package says of built modules which have side effects.
    ignoreAnnotations: true,
  });
  return sources.map((source) => join(folder, 'dist/cli', `${basename(source, '.ts')}.js`));
}
