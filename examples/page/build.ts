import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { encodeModelFile, memoryStagingStore } from 'holostream';
import { fileSink, fileSource } from 'holostream/node';

/** More than the default: each is a visible step. */
const FRAGMENTS = 32;

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Puts the page, its script and the model into a folder: everything that a static file server needs. */
export async function buildPage(folder: string): Promise<void> {
  await copyFile(here('index.html'), join(folder, 'index.html'));
  await copyFile(here('style.css'), join(folder, 'style.css'));
  await build({
    entryPoints: [here('main.ts')],
    outfile: join(folder, 'main.js'),
    tsconfig: here('../../tsconfig.json'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  });
  await using source = await fileSource(here('../digits/digits.safetensors'));
  const sink = await fileSink(join(folder, 'digits.holo.safetensors'));
  const encode = { fragments: FRAGMENTS };
  await encodeModelFile([{ name: 'digits.safetensors', source }], sink, memoryStagingStore(), { encode });
}
