/** The parts of `dist` that esbuild bundles. All else in it is one module per source file, as the compiler writes it. */
import { dirname, relative, resolve } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');

export interface Bundle {
  /** The source file, relative to the root, and the built file, relative to `dist`. */
  readonly entry: string;
  readonly output: string;
  readonly options: BuildOptions;
}

export const BUNDLES: readonly Bundle[] = [
  // fft.js is CommonJS, which neither a development server nor an import map can load as it is.
  {
    entry: 'src/kernels/dct/portable/fft.ts',
    output: 'src/kernels/dct/portable/fft.js',
    options: { platform: 'neutral', mainFields: ['main'] },
  },
  // Users of the library install none of what the command line needs. Its commands stay chunks, loaded when called.
  {
    entry: 'cli/main.ts',
    output: 'cli/main.js',
    options: {
      platform: 'node',
      splitting: true,
      chunkNames: 'cli/[name]-[hash]',
      // Packages in CommonJS require Node's modules.
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
    },
  },
];

/** Bundles into the folder `dist`, or only looks at what that would take. */
export async function bundle(
  { entry, output, options }: Bundle,
  { dist, write = true }: { dist: string; write?: boolean },
): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { [output.replace(/\.js$/, '')]: entry },
    outdir: resolve(dist),
    plugins: [keepModules(dirname(entry))],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    metafile: true,
    write,
    ...options,
  });
  return metafile!;
}

/** Imports of our own modules outside of the bundle's folder stay imports; all of its output is in that one folder. */
function keepModules(folder: string): Plugin {
  const inside = resolve(ROOT, folder);
  return {
    name: 'keep-modules',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const target = resolve(resolveDir, path);
        if (target.startsWith(`${inside}/`) || resolveDir.includes('node_modules')) return undefined;
        return { path: relative(inside, target), external: true };
      });
    },
  };
}

/** The packages that a bundle holds, by name. */
export function packagesIn({ inputs }: Metafile): string[] {
  const names = Object.keys(inputs).flatMap((path) => {
    const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)].sort();
}
