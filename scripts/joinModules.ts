/** Joins modules of `dist` that pages load together. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

const BASE_FILE = 'src/base.js';

/**
 * Each file, and what is joined in it. Bundlers that split code make a chunk of each set of modules that the same chunks
 * import: as single modules, these become a dozen chunks of a few hundred bytes, which cost a page 1.5 kB and as many
 * requests. Of each file, bundlers still drop what no page calls.
 */
const JOINED = {
  /** Errors, dtypes and tensors, reading binary data: what all others need. */
  [BASE_FILE]: [
    'src/errors/show.js',
    'src/errors.js',
    'src/errors/placed.js',
    'src/checks/options.js',
    'src/checks/abortOptions.js',
    'src/source.js',
    'src/checks/limits.js',
    'src/async/steps.js',
    'src/bytes/binary.js',
    'src/bytes/byteQueue.js',
    'src/bytes/fieldReader.js',
    'src/bytes/sharedMemory.js',
    'src/tensor/dtype.js',
    'src/tensor/tensor.js',
    'src/tensor/float.js',
    'src/tensor/commonFloats.js',
    'workers/task.js',
    'src/async/loadOnce.js',
    'src/kernels/runtime/module.js',
    'src/kernels/runtime/runtime.js',
    'src/kernels/loadKernels.js',
    'src/codecs/codec.js',
    'src/codecs/loadDecoder.js',
    'src/encodings/otherDtypes.js',
  ],
  /** What the implementations of the embedded kernels share, and what the decoder shares with that of small tensors. */
  'src/kernels/embedded/shared.js': [
    'src/kernels/embedded/tile.js',
    'src/kernels/embedded/prefixCodes.js',
    'src/kernels/embedded/maskTables.js',
    'src/kernels/embedded/fixedCodes.js',
    'src/kernels/embedded/contexts.js',
    'src/encodings/embedded/signedNumbers.js',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The joined files, of which TypeScript knows nothing: their modules keep the types. */
export const JOINED_FILES: readonly string[] = Object.keys(JOINED);

/** All modules import the joined files. The joined modules keep their paths, too: each exports its part. */
export async function joinModules(dist: string): Promise<void> {
  const folder = resolve(dist);
  const fileOf = new Map<string, string>();
  for (const [name, modules] of Object.entries(JOINED)) {
    const file = resolve(folder, name);
    const paths = modules.map((module) => resolve(folder, module));
    const parts = await Promise.all(paths.map(exportsOf));
    await writeFile(file, await join(paths, file));
    for (const [i, path] of paths.entries()) {
      fileOf.set(path, file);
      const exported = parts[i]!.join(', ');
      await writeFile(path, `export { ${exported} } from '${relativePath(dirname(path), file)}';\n`);
    }
  }
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith('.js')) await importJoined(resolve(folder, name), fileOf);
  }
}

async function join(paths: readonly string[], file: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: paths.map((path) => `export * from '${path}';`).join('\n'),
      resolveDir: dirname(file),
    },
    plugins: [keepOthers(paths, dirname(file))],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    write: false,
  });
  return outputFiles[0]!.text;
}

async function importJoined(path: string, fileOf: ReadonlyMap<string, string>): Promise<void> {
  const code = await readFile(path, 'utf8');
  // Not those that import a module as a whole: they would have the whole joined file.
  const changed = code.replace(
    /(\{[^}]*\} from )(['"])(\.[^'"]+)\2/g,
    (statement, names: string, _quote: string, specifier: string) => {
      const file = fileOf.get(resolve(dirname(path), specifier));
      if (file === undefined || file === path) return statement;
      return `${names}'${relativePath(dirname(path), file)}'`;
    },
  );
  if (changed !== code) await writeFile(path, changed);
}

async function exportsOf(path: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [path],
    format: 'esm',
    metafile: true,
    write: false,
    outdir: dirname(path),
  });
  return Object.values(metafile.outputs)[0]!.exports;
}

/** Imports of other modules stay imports, also those on demand. */
function keepOthers(joined: readonly string[], folder: string): Plugin {
  return {
    name: 'keep-others',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const target = resolve(resolveDir, path);
        return joined.includes(target) ? undefined : { path: relativePath(folder, target), external: true };
      });
    },
  };
}

function relativePath(from: string, to: string): string {
  const path = relative(from, to);
  return path.startsWith('.') ? path : `./${path}`;
}
