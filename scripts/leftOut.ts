/** What `holostream/lean` does not have: elsewhere it is loaded on demand, but in one file all of it would be in it. */
import { relative, resolve } from 'node:path';
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
  [/^models\/inputs\/npy$/, 'formats but model files and safetensors'],
  [/^models\/inputs\/placeOnDisk$|^sources\/file$/, 'files on disk'],
  [/^sources\/hubUrl$/, 'models of hubs by their names'],
  [/^models\/inputs\/integrity$/, 'hashes by SHA-256'],
];

const NAMESPACE = 'left-out';

/** In place of each of these modules is one that throws. */
export function leaveOut(): Plugin {
  return {
    name: 'leave-out',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        if (kind !== 'dynamic-import') return undefined;
        const module = relative(ROOT, resolve(resolveDir, path)).replace(/\.js$/, '');
        const found = LEFT_OUT.find(([modules]) => modules.test(module));
        return found && { path: found[1], namespace: NAMESPACE };
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
