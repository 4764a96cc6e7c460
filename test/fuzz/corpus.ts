import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Inputs that reach code which the seeds do not reach, found by earlier runs: a text file per target, one input per
 * line, in base64.
 */
const FOLDER = new URL('corpus/', import.meta.url);

/** Bytes of inputs that are kept for one target, so that the corpus stays small. */
const MAX_TARGET_BYTES = 12_000;

export function readCorpus(target: string): Uint8Array[] {
  const file = fileOf(target);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => new Uint8Array(Buffer.from(line, 'base64')));
}

/** Keeps those of the inputs that fit, in their order. */
export function writeCorpus(target: string, inputs: readonly Uint8Array[]): void {
  let left = MAX_TARGET_BYTES;
  const kept = inputs.filter(({ length }) => {
    if (length > left) return false;
    left -= length;
    return true;
  });
  writeFileSync(fileOf(target), kept.map((bytes) => `${Buffer.from(bytes).toString('base64')}\n`).join(''));
}

function fileOf(target: string): string {
  return fileURLToPath(new URL(`${target}.txt`, FOLDER));
}
