/** Bundles the page, and puts the package's wasm beside it. usage: node build.js */
import { copyFile } from 'node:fs/promises';
import { build } from 'esbuild';

await build({
  entryPoints: ['page.js'],
  bundle: true,
  minify: true,
  format: 'esm',
  outfile: 'page.bundle.js',
});
for (const part of ['', '-simd', '-threaded-simd']) {
  const wasm = `tfjs-backend-wasm${part}.wasm`;
  await copyFile(`node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/${wasm}`, wasm);
}
