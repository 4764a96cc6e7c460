import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, stop } from 'esbuild';
import { LIBRARY_FOLDERS } from './product.js';

/** The library, and what the fuzzer needs of the tests. */
const FOLDERS = [...LIBRARY_FOLDERS, 'test/helpers', 'test/fuzz'] as const;

/** What is read at run time, at its place beside the code. */
const FILES = ['docs', 'test/fixtures', 'test/fuzz/corpus'] as const;

/**
 * Compiles every file to a module of its own, because a TypeScript loader takes longer for one dynamic import than an
 * input of the fuzzer takes, and threads do not have it. The modules are there until the process ends.
 * @returns the folder that has them at the same paths
 */
export async function compile(root: string): Promise<string> {
  // Inside the package, where its dependencies are found.
  const outdir = mkdtempSync(join(root, 'node_modules/.compiled-'));
  process.once('exit', () => rmSync(outdir, { recursive: true }));
  const sources = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((name) => name.endsWith('.ts') && !/\.d\.ts$|\.test\.ts$|assembly/.test(name)),
  );
  await build({
    absWorkingDir: root,
    entryPoints: sources,
    outdir,
    outbase: root,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
  });
  await stop();
  for (const name of FILES) {
    mkdirSync(dirname(join(outdir, name)), { recursive: true });
    symlinkSync(join(root, name), join(outdir, name));
  }
  return outdir;
}
