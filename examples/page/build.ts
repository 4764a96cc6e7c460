import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { encodeModelFile, memoryStagingStore } from 'holostream';
import { fileSink, fileSource } from 'holostream/node';
import { buildText } from './text/build.js';

/** More than the default: each is a visible step. */
const FRAGMENTS = 32;

/** In the page, between two comments. */
const TEXT_PANEL = /<!-- text -->.*<!-- \/text -->/s;
const TEXT_MISSING =
  '<p class="note">The panel that reads text was left out: its packages were not installed when the page was built.</p>';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const DOCUMENTS = ['README.md', 'docs/models.md', 'docs/hosting.md', 'docs/tasks.md', 'docs/runtimes.md'];

/** Where the packages of the text panel are, if they have been installed. */
const MODULES = here('../../test/runtimes/page/node_modules');

export interface BuiltPage {
  /** The page has the panel that reads text. */
  readonly text: boolean;
}

/**
 * Puts the page, its scripts and its models into a folder: everything that a static file server needs.
 * @param modules with the packages of the text panel; without them, the page has no such panel
 */
export async function buildPage(folder: string, modules = MODULES): Promise<BuiltPage> {
  const text = await buildText(folder, modules);
  const html = await readFile(here('index.html'), 'utf8');
  await writeFile(join(folder, 'index.html'), text ? html : html.replace(TEXT_PANEL, TEXT_MISSING));
  await copyFile(here('style.css'), join(folder, 'style.css'));
  // As text, which browsers show.
  await mkdir(join(folder, 'documents'), { recursive: true });
  for (const name of DOCUMENTS) {
    await copyFile(here(`../../${name}`), join(folder, 'documents', basename(name).replace('.md', '.txt')));
  }
  await build({
    entryPoints: {
      main: here('main.ts'),
      'racer.worker': here('racer/racer.worker.ts'),
      'text.worker': here('text/text.worker.ts'),
    },
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
  return { text };
}
