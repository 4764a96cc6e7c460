/** Bundles the page, and puts ONNX Runtime's wasm beside it. usage: node build.js */
import { copyFile } from 'node:fs/promises';
import { build } from 'esbuild';

await build({
  entryPoints: ['page.js'],
  bundle: true,
  minify: true,
  format: 'esm',
  outfile: 'page.bundle.js',
});
const wasm = 'ort-wasm-simd-threaded.asyncify.wasm';
await copyFile(`node_modules/onnxruntime-web/dist/${wasm}`, wasm);
