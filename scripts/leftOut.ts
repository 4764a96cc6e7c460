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
  [/^workers\/sharedPool$|^models\/file\/workerTensorDecoder$/, 'workers'],
  [/^models\/inputs\/directory$/, 'model directories'],
  [/^models\/inputs\/(npy|foreignContent)$/, 'formats but model files and safetensors'],
  [/^models\/inputs\/placeOnDisk$|^sources\/file$/, 'files on disk'],
  [/^sources\/hubUrl$/, 'models of hubs by their names'],
  [/^models\/inputs\/integrity$/, 'hashes by SHA-256'],
];

const NAMESPACE = 'left-out';

/**
 * In place of each of these modules is one that throws when it is imported. All others are imported at once: for what may be
 * imported later, esbuild wraps every module in a function, which costs 2 kB (gzip).
 */
export function leaveOut(): Plugin {
  return {
    name: 'leave-out',
    setup({ onResolve, onLoad }) {
      onLoad({ filter: /\.ts$/, namespace: 'file' }, async ({ path }) => ({
        contents: importingAtOnce(await readFile(path, 'utf8'), dirname(path)),
        loader: 'ts',
      }));
      onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        const part = kind === 'dynamic-import' ? partLeftOut(path, resolveDir) : undefined;
        return part === undefined ? undefined : { path: part, namespace: NAMESPACE };
      });
      onLoad({ filter: /./, namespace: NAMESPACE }, ({ path: part }) => {
        const message = `Cannot load ${part}: holostream/lean does not have them; use openModel of holostream`;
        const contents = `
          import { UnsupportedError } from './src/errors.js';
          throw new UnsupportedError(${JSON.stringify(message)});`;
        return { contents, loader: 'ts', resolveDir: ROOT };
      });
    },
  };
}

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

function importingAtOnce(code: string, folder: string): string {
  const imports: string[] = [];
  const changed = code.replace(/\bimport\('(\.[^']+)'\)/g, (dynamic, specifier: string) => {
    if (partLeftOut(specifier, folder) !== undefined) return dynamic;
    const name = `imported${imports.length}`;
    imports.push(`import * as ${name} from '${specifier}';`);
    return `Promise.resolve(${name})`;
  });
  return imports.join('') + changed;
}
