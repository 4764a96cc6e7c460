/**
 * `npm run docs -- FOLDER` (default: site): builds the site of the documentation, which any static host serves. It has
 * the README, the guides, the reference of all exports, and the demo page. Warnings and broken links are errors.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPage } from '../examples/page/build.js';
import { brokenLinks } from './siteLinks.js';

const tools = fileURLToPath(new URL('../tools/docs', import.meta.url));
const folder = resolve(process.argv[2] ?? 'site');

if (!existsSync(join(tools, 'node_modules'))) run('npm', 'ci', '--no-audit', '--no-fund');
run(process.execPath, join(tools, 'node_modules/typedoc/bin/typedoc'), '--out', folder);
mkdirSync(join(folder, 'demo'));
await buildPage(join(folder, 'demo'));
linkDemo(join(folder, 'index.html'));
const broken = brokenLinks(folder);
if (broken.length > 0) {
  console.error(`Cannot use the site: ${broken.length} links lead nowhere\n${broken.join('\n')}`);
  process.exit(1);
}
console.log(`${folder} has the site`);

function run(command: string, ...args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: tools, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** TypeDoc's own links must be absolute, and the site may be in any folder of its host. */
function linkDemo(page: string): void {
  const marker = '<div id="tsd-toolbar-links">';
  const html = readFileSync(page, 'utf8');
  if (!html.includes(marker)) throw new Error(`Cannot link the demo page: ${page} has no place for links`);
  writeFileSync(page, html.replace(marker, `${marker}<a href="demo/index.html">Demo</a>`));
}
