/**
 * Writes `src/codecs/zstdWasm.generated.ts`: the wasm of the package @bokuweb/zstd-wasm, deflated, as base64. Run it
 * after the package has been updated (npm run build:zstd), and compare the letters in `src/codecs/zstdWasm.ts` with
 * the package's zstd.js: they are made by its linker.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { deflate } from './deflate.js';

const FOLDER = 'node_modules/@bokuweb/zstd-wasm';

const { version } = JSON.parse(await readFile(`${FOLDER}/package.json`, 'utf8'));
const wasm = await deflate(await readFile(`${FOLDER}/dist/web/zstd.wasm`));
await writeFile(
  'src/codecs/zstdWasm.generated.ts',
  [
    `// Made by \`npm run build:zstd\` from @bokuweb/zstd-wasm ${version}: do not edit.`,
    '// That package: MIT, (c) bokuweb. The code compiled in it, Zstandard: BSD-3-Clause, (c) Meta Platforms, Inc.',
    // The type is given because declarations would otherwise repeat the text.
    'export const ZSTD_WASM_DEFLATED: string =',
    `  '${wasm.toString('base64')}';`,
    '',
  ].join('\n'),
);
