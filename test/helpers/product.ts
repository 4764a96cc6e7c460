import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folders of the library, from the ground up: each imports only from those before it. */
export const LIBRARY_FLOORS = [
  ['src'],
  ['platform'],
  ['workers'],
  ['sources', 'operators', 'sinks'],
  ['readers'],
  ['models'],
  ['adapters'],
  ['bulk'],
] as const;

export const LIBRARY_FOLDERS = LIBRARY_FLOORS.flat();

/** The rooms of `src`, in the same way; a file beside the rooms is one, too. */
export const CORE_FLOORS = [
  ['errors'],
  ['checks'],
  ['source', 'stage', 'async'],
  ['bytes'],
  ['tensor'],
  ['kernels'],
  ['codecs', 'encodings', 'pickle', 'protobuf', 'safetensors', 'zip'],
  ['gguf', 'npy', 'onnx', 'tfjs', 'torch', 'hct', 'holotensor'],
] as const;

/** The library, and what is built on it. */
export const PRODUCT_FLOORS = [...LIBRARY_FLOORS, ['cli']] as const;

export const PRODUCT_FOLDERS = PRODUCT_FLOORS.flat();

/** All of the product's sources in TypeScript, relative to the root, without assembly and generated modules. */
export function productFiles(): string[] {
  const entries = readdirSync(root).filter((name) => name.endsWith('.ts'));
  const files = PRODUCT_FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return [...entries, ...files.filter((name) => name.endsWith('.ts'))].filter(
    (name) => !/\.d\.ts$|\.generated\.ts$|\/assembly\//.test(name),
  );
}

/** What a file of the product imports, types included: specifiers as they are written. */
export function importsOf(file: string): string[] {
  const code = readFileSync(join(root, file), 'utf8').replace(/^\s*(\/?\*|\/\/).*$/gm, '');
  return Array.from(
    code.matchAll(/(?:from\s+|import\s+|(?<!typeof )import\()'([^']+)'/g),
    ([, specifier]) => specifier!,
  );
}
