import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BUNDLES, bundle, packagesIn } from './bundles.js';

const ROOT = resolve(import.meta.dirname, '..');

/** What is in the wasm that generated modules hold: no bundler sees it. `texts` are for packages without licence files. */
export const COMPILED_IN: readonly { name: string; what: string; texts?: readonly string[] }[] = [
  {
    name: '@bokuweb/zstd-wasm',
    what: 'the wasm of the Zstd encoder: libzstd, linked by Emscripten',
    texts: ['zstd-wasm.txt', 'zstd.txt', 'emscripten.txt'],
  },
  {
    name: 'assemblyscript',
    what: 'functions of its standard library, compiled into the wasm kernels',
  },
];

/** The packages in each bundle, and the bundles in which each package is. */
export async function bundledPackages(): Promise<Map<string, string[]>> {
  const places = new Map<string, string[]>();
  for (const part of BUNDLES) {
    const metafile = await bundle(part, { dist: 'dist', write: false });
    for (const name of packagesIn(metafile)) {
      places.set(name, [...(places.get(name) ?? []), `dist/${part.output}`]);
    }
  }
  return places;
}

/** @throws Error for a package whose licence text cannot be found */
export async function thirdPartyNotices(): Promise<string> {
  const bundled = Array.from(await bundledPackages(), ([name, places]) => ({
    name,
    what: `bundled into ${places.join(', ')}`,
    texts: undefined,
  }));
  const notices = [...bundled, ...COMPILED_IN].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    'The published package of holostream holds code of the projects below, under their own licences.',
    'Made by `npm run notices`: do not edit.\n',
    ...notices.map(({ name, what, texts }) => {
      const title = `${name} (${what})`;
      const licences = texts === undefined ? licenceTexts(name) : texts.map(suppliedText);
      return [RULE, title, RULE, ...licences.map((text) => `\n${text.trim()}\n`)].join('\n');
    }),
  ].join('\n');
}

const RULE = '='.repeat(80);

/** The licence files of a package, and its notice; else the last section of its README. */
function licenceTexts(name: string): string[] {
  const folder = join(ROOT, 'node_modules', name);
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  if (files.length > 0) return files.sort().map((file) => readFileSync(join(folder, file), 'utf8'));
  const readme = join(folder, 'README.md');
  const [, text] =
    /^#+ licen[cs]e\n(.*Permission is hereby granted.*)$/ims.exec(
      existsSync(readme) ? readFileSync(readme, 'utf8') : '',
    ) ?? [];
  if (text === undefined) throw new Error(`${name} has no licence text: add it to scripts/licences`);
  return [text];
}

function suppliedText(file: string): string {
  return readFileSync(join(ROOT, 'scripts/licences', file), 'utf8');
}
