/** Fixtures and real weights that lie beside the repository, in `../shared`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../shared/', import.meta.url);

/** Absolute path of a file of `../shared`, such as 'weights/charrnn-bronte.safetensors'. */
export function sharedPath(name: string): string {
  const path = fileURLToPath(new URL(name, root));
  if (!existsSync(path)) {
    throw new Error(
      `test data is missing: ${path} (the tests need the folder "shared" beside the repository)`,
    );
  }
  return path;
}

/** The bytes of a file of `../shared`, in a buffer of their own. */
export function readShared(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(sharedPath(name)));
}

export function readSharedF32(name: string): Float32Array {
  return new Float32Array(readShared(name).buffer);
}

/** `fixtures/reference/manifest.json`: one of its three parts. */
export function manifest<T>(part: 'hct' | 'holo' | 'vectors'): T {
  return JSON.parse(new TextDecoder().decode(readShared('fixtures/reference/manifest.json')))[part] as T;
}

/** Path in `../shared` of a file that the manifest names. */
export function fixture(name: string): string {
  return `fixtures/reference/${name}`;
}

/** Names of the files in a folder of `../shared` that end so; at least one. */
export function sharedFiles(folder: string, ending: string): string[] {
  const names = readdirSync(sharedPath(folder)).filter((name) => name.endsWith(ending));
  if (names.length === 0) throw new Error(`test data is missing: no ${ending} in ${sharedPath(folder)}`);
  return names;
}
