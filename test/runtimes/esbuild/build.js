/** A page with its chunks, and the worker's script beside them, as the README says. */

import { build } from 'esbuild';

await build({
  entryPoints: { page: 'page.js', worker: 'holostream/worker' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  minify: true,
  outdir: 'site',
});
