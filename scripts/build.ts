/**
 * Builds the package: compiles the sources and their types module by module, joins modules that pages load
 * together (`joinModules.ts`), bundles what `bundles.ts` lists, and what is loaded on demand (`onDemand.ts`).
 * usage: npm run build [-- FOLDER]    default: dist
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BUNDLES, bundle } from './bundles.js';
import { joinModules } from './joinModules.js';
import { bundleOnDemand } from './onDemand.js';

const dist = process.argv[2] ?? 'dist';
const compiler = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace('package.json', 'bin/tsc');

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', dist], {
  stdio: 'inherit',
});
await joinModules(dist);
for (const part of BUNDLES) await bundle(part, { dist });
await bundleOnDemand(dist);
