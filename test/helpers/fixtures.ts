/** Files of `test/fixtures/reference`, which the reference implementation wrote. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../fixtures/reference/', import.meta.url);

/** Absolute path of a file that the manifest names, such as 'hct/v2-lz4-empty.hct'. */
export function referencePath(name: string): string {
  return fileURLToPath(new URL(name, root));
}

/** The bytes of such a file, in a buffer of their own. */
export function readReference(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(referencePath(name)));
}

export function readReferenceF32(name: string): Float32Array {
  return new Float32Array(readReference(name).buffer);
}

/** One of the three parts of the manifest. */
export function manifest<T>(part: 'hct' | 'holo' | 'vectors'): T {
  return JSON.parse(readFileSync(referencePath('manifest.json'), 'utf8'))[part] as T;
}
