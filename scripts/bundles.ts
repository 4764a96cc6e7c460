/** The parts of `dist` that esbuild bundles. All else in it is one module per source file, as the compiler writes it. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { leaveOut, leaveOutFormats } from './leftOut.js';

const ROOT = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { version: string };

export interface Bundle {
  /** The source file, relative to the root, and the built file, relative to `dist`. */
  readonly entry: string;
  readonly output: string;
  readonly options: BuildOptions;
}

/** Of `holostream/lean`. */
export const LEAN_FILE = 'lean.js';

const MINIFIED = {
  main: 'holostream.min.js',
  worker: 'holostream.worker.min.js',
  /** libzstd, four tenths of all there is, for compression only. */
  zstdEncoder: 'holostream.zstd.min.js',
};

export const BUNDLES: readonly Bundle[] = [
  // fft.js is CommonJS, which neither a development server nor an import map can load as it is.
  {
    entry: 'src/kernels/dct/portable/fft.ts',
    output: 'src/kernels/dct/portable/fft.js',
    options: {
      platform: 'neutral',
      mainFields: ['main'],
      plugins: [keepModules('src/kernels/dct/portable')],
    },
  },
  // Vite before 8 builds workers in a format that has no chunks: what loads on demand elsewhere, this script has in it.
  {
    entry: 'workers/worker.ts',
    output: 'workers/worker.js',
    options: {
      platform: 'neutral',
      mainFields: ['main'],
      // It repeats code of other files.
      minify: true,
      // It exports nothing; this says that it is a module all the same.
      footer: { js: 'export {};' },
    },
  },
  // Users of the library install none of what the command line needs. Its commands stay chunks, loaded when called.
  {
    entry: 'cli/main.ts',
    output: 'cli/main.js',
    options: {
      platform: 'node',
      plugins: [keepModules('cli')],
      splitting: true,
      chunkNames: 'cli/[name]-[hash]',
      // Packages in CommonJS require Node's modules.
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
    },
  },
  // To be bundled again, into one file with what is not known here.
  {
    entry: 'lean.ts',
    output: LEAN_FILE,
    options: {
      platform: 'neutral',
      external: ['rxjs'],
      minify: true,
      // Next to each other, what is in Base64 gets codes of its own by gzip: 0.5 kB less than among code.
      inject: ['embedded', 'zstd', 'xxh3', 'float'].map(
        (subject) => `src/kernels/${subject}/wasm/${subject}.generated.ts`,
      ),
      plugins: [leaveOut()],
    },
  },
  // For pages without a build step: one script with all that the main entry exports, RxJS in it, and beside it the two
  // that it loads on demand.
  minified('index.ts', MINIFIED.main),
  minified('workers/worker.ts', MINIFIED.worker),
  minified('src/codecs/zstdWasmModule.ts', MINIFIED.zstdEncoder),
  // Service Workers load nothing on demand, and most are no modules.
  minified('adapters/serviceWorkerScript.ts', 'service-worker.js', {
    format: 'iife',
    define: { 'import.meta.url': 'location.href' },
    plugins: [minifiedNames(), leaveOutFormats()],
  }),
];

function minified(entry: string, output: string, others: BuildOptions = {}): Bundle {
  // RxJS has its classes as such under this condition.
  const conditions = ['es2015'];
  const options: BuildOptions = {
    platform: 'browser',
    minify: true,
    target: 'es2022',
    conditions,
    plugins: [minifiedNames()],
    ...others,
    banner: {
      js: `/*! holostream ${version}, MIT; for code of others in it, see the package's THIRD_PARTY_NOTICES */`,
    },
  };
  return { entry, output, options };
}

/** Bundles into the folder `dist`, or only looks at what that would take. */
export async function bundle(
  { entry, output, options }: Bundle,
  { dist, write = true }: { dist: string; write?: boolean },
): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { [output.replace(/\.js$/, '')]: entry },
    outdir: resolve(dist),
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

/** What the minified scripts load on demand has another name than the modules that it is made of. */
function minifiedNames(): Plugin {
  return {
    name: 'minified-names',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\/zstdWasmModule\.js$/ }, () => ({
        path: `./${MINIFIED.zstdEncoder}`,
        external: true,
      }));
      onLoad({ filter: /\/workers\/thread\.ts$/ }, async ({ path }) => {
        const code = await readFile(path, 'utf8');
        return { contents: code.replaceAll("worker.js'", `${MINIFIED.worker}'`), loader: 'ts' };
      });
    },
  };
}

/** The packages that a bundle holds something of, by name. */
export function packagesIn({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const held = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const names = held.flatMap(([path]) => {
    const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)].sort();
}
