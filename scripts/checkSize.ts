/**
 * What a browser loads to decode anything, minified and gzipped: fails when it is more than the limit.
 * usage: npm run build && npm run size
 */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** The kernels with their wasm, both formats, all encodings, all codecs for decoding. */
const DECODING = `
  export { HctDecoderStream, HctReader, FragmentDecoderStream, HoloTensorReader, ReconstructionStream } from 'holostream';
`;
const LIMIT_BYTES = 60 * 1024;

const { outputFiles, metafile } = await build({
  stdin: { contents: DECODING, resolveDir: process.cwd() },
  alias: { holostream: `${process.cwd()}/dist/index.js` },
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  external: ['rxjs'],
  metafile: true,
  write: false,
});
const code = outputFiles[0]!.contents;
const gzipped = gzipSync(code, { level: 9 }).length;

const [{ inputs }] = Object.values(metafile.outputs) as [(typeof metafile.outputs)[string]];
const largest = Object.entries(inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
for (const [file, { bytesInOutput }] of largest.slice(0, 10))
  console.log(String(bytesInOutput).padStart(8), file);
console.log(`${code.length} bytes minified, ${gzipped} gzipped; at most ${LIMIT_BYTES}`);
if (gzipped > LIMIT_BYTES) process.exitCode = 1;
