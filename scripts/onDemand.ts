/** Bundles the modules of `dist` that are loaded on demand, apart from what pages load at once. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { JOINED_FILES } from './joinModules.js';

/** What modules that are loaded on demand share, beside the joined files. */
export const SHARED_FOLDER = 'onDemand';

/**
 * Modules of which there is one for both sides: the joined files, which hold the classes of errors and what has been
 * loaded; the pool of an option; the script of workers and the libzstd, which are found by their addresses.
 */
const COMMON: readonly string[] = [
  ...JOINED_FILES,
  'workers/sharedPool.js',
  'src/codecs/zstdWasmModule.js',
  'src/kernels/dct/portable/fft.js',
];

/** Bundles of their own, which nothing else imports. */
const APART = /^(?:cli\/|lean\.js$|workers\/worker\.js$|service-worker\.js$|.*\.min\.js$)/;

/**
 * esbuild evaluates in every page each module that the main entry names and any `import()` needs, even if the page does not:
 * what is shared would cost pages 4 kB and a dozen requests. So the targets of all `import()` become bundles, with copies
 * of what they need but for {@link COMMON}; what several of them need is in files of {@link SHARED_FOLDER}. A module
 * that keeps something between calls must not be copied: it belongs to a joined file.
 */
export async function bundleOnDemand(dist: string): Promise<void> {
  const folder = resolve(dist);
  const targets = await importTargets(folder);
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: Object.fromEntries(
      targets.map((module) => [module.replace(/\.js$/, ''), resolve(folder, module)]),
    ),
    outdir: folder,
    bundle: true,
    splitting: true,
    chunkNames: `${SHARED_FOLDER}/[hash]`,
    format: 'esm',
    target: 'es2023',
    platform: 'neutral',
    // They repeat code: names stay, spaces go.
    minifyWhitespace: true,
    minifySyntax: true,
    write: false,
    plugins: [keepCommon(folder)],
  });
  for (const { path, text } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, withPaths(text, path, folder));
  }
}

/** The modules that others import on demand, by their paths in `dist`. */
async function importTargets(folder: string): Promise<string[]> {
  const targets = new Set<string>();
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.js') || APART.test(name)) continue;
    const code = await readFile(resolve(folder, name), 'utf8');
    for (const [, specifier = ''] of code.matchAll(/\bimport\(["'](\.[^"']+)["']\)/g)) {
      targets.add(relative(folder, resolve(folder, dirname(name), specifier)));
    }
  }
  return [...targets].filter((target) => !COMMON.includes(target)).sort();
}

/** Where an output finds a common module is known when all outputs have been made. */
const PLACEHOLDER = 'dist:';

function keepCommon(folder: string): Plugin {
  return {
    name: 'keep-common',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        const module = relative(folder, resolve(resolveDir, path));
        if (kind === 'entry-point' || !COMMON.includes(module)) return undefined;
        return { path: `${PLACEHOLDER}${module}`, external: true };
      });
      onResolve({ filter: /^[^./]/ }, ({ path }) => ({ path, external: true }));
    },
  };
}

function withPaths(code: string, path: string, folder: string): string {
  return (
    code
      .replaceAll(new RegExp(`"${PLACEHOLDER}([^"]+)"`, 'g'), (_, module: string) => {
        const specifier = relative(dirname(path), resolve(folder, module));
        return JSON.stringify(specifier.startsWith('.') ? specifier : `./${specifier}`);
      })
      // For the order of evaluation, which says nothing here: no module has side effects.
      .replaceAll(/\bimport"[^"]+";/g, '')
  );
}
