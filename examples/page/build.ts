import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { encodeModelFile, memoryStagingStore } from 'holostream';
import { fileSink, fileSource } from 'holostream/node';

/** More than the default: each is a visible step. */
const FRAGMENTS = 32;

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Puts the page, its scripts and its models into a folder: everything that a static file server needs. */
export async function buildPage(folder: string): Promise<void> {
  for (const name of ['index.html', 'style.css']) await copyFile(here(name), join(folder, name));
  await build({
    entryPoints: { main: here('main.ts'), 'racer.worker': here('racer/racer.worker.ts') },
    outdir: folder,
    tsconfig: here('../../tsconfig.json'),
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  });
  const digits = here('../digits/digits.safetensors');
  await copyFile(digits, join(folder, 'digits.safetensors'));
  await using source = await fileSource(digits);
  const sink = await fileSink(join(folder, 'digits.holo.safetensors'));
  const encode = { fragments: FRAGMENTS };
  await encodeModelFile([{ name: 'digits.safetensors', source }], sink, memoryStagingStore(), { encode });
}
