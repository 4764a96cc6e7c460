/** Real weights, in `../shared` beside the repository. */
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

/** Names of the files in a folder of `../shared` that end so; at least one. */
export function sharedFiles(folder: string, ending: string): string[] {
  const names = readdirSync(sharedPath(folder)).filter((name) => name.endsWith(ending));
  if (names.length === 0) throw new Error(`test data is missing: no ${ending} in ${sharedPath(folder)}`);
  return names;
}
