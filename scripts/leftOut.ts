/** What `holostream/lean` does not have: elsewhere it is loaded on demand, but in one file all of it would be in it. */
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');

/** Targets of `import()` by their paths from the root, without the ending, and what they are for callers. */
export const LEFT_OUT: readonly (readonly [modules: RegExp, part: string])[] = [
  [/^src\/encodings\/(lowRank|randomProjection|spectral)\/decoder$/, 'encodings but the embedded one'],
  [/^src\/kernels\/(dct|gaussian|linear)\/wasm$/, 'encodings but the embedded one'],
  [/^src\/kernels\/portableKernels$/, 'kernels without WebAssembly'],
  [/^src\/kernels\/lz4\/wasm\/encode$|^src\/codecs\/zstdWasmModule$/, 'encoders'],
  [/^src\/codecs\/zstdNative$/, 'codecs of the engine'],
  [/^workers\/sharedPool$|^models\/file\/(openPieces|workerTensorDecoder)$/, 'workers'],
  [/^sources\/file$/, 'files on disk'],
  [/^src\/bytes\/kindOnDemand$/, 'files that are no model files'],
];

const NAMESPACE = 'left-out';

/** In the code of a module: what it loads when it is needed. */
export const DYNAMIC_IMPORT = /\bimport\('(\.[^']+)'\)/g;

/** The same as a statement of its own. */
const TAKING_NAMES = /\bconst (\{ [\w, ]+ \}) = await import\('(\.[^']+)'\);/g;

/** The same of one name, which is all that is taken. */
const TAKING_ONE = /\bimport\('(\.[^']+)'\)\.then\(\s*\(\{ (\w+) \}\) => \2,?\s*\)/g;

const TAKING_PROPERTY = /\(await import\('(\.[^']+)'\)\)\.(\w+)/g;

const LEFT_OUT_IMPORT = `import { leftOut } from '${NAMESPACE}';`;

/**
 * Imports of these modules fail where they are called. All others are imported at once: for what may be imported later,
 * esbuild wraps every module in a function, which costs 2 kB (gzip).
 */
export function leaveOut(): Plugin {
  return {
    name: 'leave-out',
    setup({ onResolve, onLoad }) {
      onLoad({ filter: LZ4_KERNEL }, () => ({ contents: PORTABLE_LZ4, loader: 'ts', resolveDir: ROOT }));
      onLoad({ filter: /\.ts$/, namespace: 'file' }, async ({ path }) => ({
        contents: importingAtOnce(await readFile(path, 'utf8'), dirname(path)),
        loader: 'ts',
      }));
      onResolve({ filter: new RegExp(`^${NAMESPACE}$`) }, ({ path }) => ({ path, namespace: NAMESPACE }));
      onLoad({ filter: /./, namespace: NAMESPACE }, () => ({
        contents: FAILING,
        loader: 'ts',
        resolveDir: ROOT,
      }));
    },
  };
}

const FAILING = `
  import { UnsupportedError } from './src/errors.js';
  export const leftOut = async (part: string) => {
    throw new UnsupportedError(\`Cannot load \${part}: holostream/lean does not have them; use openModel of holostream\`);
  };`;

/**
 * The plan of a model file needs the portable decoder of LZ4: without the one in wasm, 0.5 kB less. Only HCT blocks, of
 * which there are none, are checked by the kernel.
 */
const LZ4_KERNEL = /\/src\/kernels\/lz4\/wasm\.ts$/;
const PORTABLE_LZ4 = `
  import { lz4DecompressInto } from './src/kernels/lz4/portable/decode.js';
  const link = () => ({ lz4DecompressInto });
  export const wasmLz4 = { modules: {}, link };`;

/** The Service Worker answers requests from model files: it takes no files of other formats, and passes requests for them on. */
export function leaveOutFormats(): Plugin {
  return {
    name: 'leave-out-formats',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\/foreignContent\.js$/ }, ({ path }) => ({ path, namespace: NAMESPACE }));
      onLoad({ filter: /./, namespace: NAMESPACE }, () => ({
        contents: `
          import { FormatError } from './src/errors.js';
          throw new FormatError('Cannot open the model: it is of another format');`,
        loader: 'ts',
        resolveDir: ROOT,
      }));
    },
  };
}

function partLeftOut(specifier: string, folder: string): string | undefined {
  const module = relative(ROOT, resolve(folder, specifier)).replace(/\.js$/, '');
  return LEFT_OUT.find(([modules]) => modules.test(module))?.[1];
}

/** The names of a module that code takes behind its `import()`; undefined for others. */
function namesTaken(after: string): readonly string[] | undefined {
  return /^\s*\.then\(\s*\(\{ ([\w, ]+) \}\)/.exec(after)?.[1]?.split(', ');
}

function importingAtOnce(code: string, folder: string): string {
  const imports: string[] = [];
  /** What the name that is imported is in this module: another one may be there. */
  const imported = (specifier: string, name: string): string => {
    const local = `imported${imports.length}`;
    imports.push(`import { ${name} as ${local} } from '${specifier}';`);
    return local;
  };
  const leftOut = (part: string): string => {
    if (!imports.includes(LEFT_OUT_IMPORT)) imports.push(LEFT_OUT_IMPORT);
    return `leftOut(${JSON.stringify(part)})`;
  };
  const shorter = code
    // Nothing is left of these where they were. A module that takes a name twice does not compile.
    .replaceAll(TAKING_NAMES, (statement, names: string, specifier: string) => {
      if (partLeftOut(specifier, folder) !== undefined) return statement;
      imports.push(`import ${names} from '${specifier}';`);
      return '';
    })
    .replaceAll(TAKING_ONE, (_, specifier: string, name: string) => {
      const part = partLeftOut(specifier, folder);
      return part === undefined ? `Promise.resolve(${imported(specifier, name)})` : leftOut(part);
    })
    .replaceAll(TAKING_PROPERTY, (taken, specifier: string, name: string) =>
      partLeftOut(specifier, folder) === undefined ? imported(specifier, name) : taken,
    );
  const changed = shorter.replace(DYNAMIC_IMPORT, (call, specifier: string, at: number) => {
    const part = partLeftOut(specifier, folder);
    if (part !== undefined) return leftOut(part);
    const names = namesTaken(shorter.slice(at + call.length));
    if (names === undefined) {
      const local = `imported${imports.length}`;
      imports.push(`import * as ${local} from '${specifier}';`);
      return `Promise.resolve(${local})`;
    }
    // An object of all exports of the module would keep each of them.
    return `Promise.resolve({ ${names.map((name) => `${name}: ${imported(specifier, name)}`).join(', ')} })`;
  });
  return imports.join('') + changed;
}
