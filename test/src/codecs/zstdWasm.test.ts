import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ZSTD_WASM_DEFLATED } from '../../../src/codecs/zstdWasm.generated.js';

test('the embedded libzstd is that of the package', () => {
  const path = new URL('../../../node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm', import.meta.url);
  const embedded = inflateRawSync(Buffer.from(ZSTD_WASM_DEFLATED, 'base64'));
  assert.ok(embedded.equals(readFileSync(path)), 'run npm run build:zstd');
});

test.run();
