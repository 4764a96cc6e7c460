import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CompressionAlgorithm } from '../../../src/codecs/codec.js';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import { loadDecoder } from '../../../src/codecs/loadDecoder.js';
import { ArgumentError, UnsupportedError } from '../../../src/errors.js';
import { planHctHeader } from '../../../src/hct/plan.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { zstdImplementations } from '../../helpers/zstdImplementations.js';

test('loads each codec once', async () => {
  assert.is(await loadCodec('zstd'), await loadCodec('zstd'));
  assert.is(
    await loadCodec('lz4', { implementation: 'portable' }),
    await loadCodec('lz4', { implementation: 'portable' }),
  );
});

test('takes the implementation that is asked for', async () => {
  for (const implementation of ['portable', 'wasm'] as const) {
    for (const algorithm of ['lz4', 'zstd'] as const) {
      const codec = await loadCodec(algorithm, { implementation });
      assert.equal([codec.algorithm, codec.implementation], [algorithm, implementation]);
    }
  }
});

test('takes the fastest that there is', async () => {
  for (const algorithm of ['lz4', 'zstd'] as const) {
    assert.is((await loadCodec(algorithm)).implementation, 'wasm');
    assert.is((await loadDecoder(algorithm)).implementation, 'wasm');
  }
});

test('a decoder cannot compress, so it does not load what does', async () => {
  assert.not('compress' in (await loadDecoder('zstd', { implementation: 'wasm' })));
});

test('says so when a demanded implementation does not exist', async () => {
  await rejects(
    loadCodec('lz4', { implementation: 'native' }),
    UnsupportedError,
    /^Cannot load the native LZ4 codec: this runtime has none$/,
  );
  if (!zstdImplementations().includes('native')) {
    await rejects(
      loadCodec('zstd', { implementation: 'native' }),
      UnsupportedError,
      /^Cannot load the native Zstd codec: this runtime has none$/,
    );
  }
});

test('refuses an algorithm that it does not know', async () => {
  const unknown = 'brotli' as CompressionAlgorithm;
  await rejects(
    loadCodec(unknown),
    ArgumentError,
    /^Cannot use this value of algorithm: expected \[lz4, zstd\], got brotli$/,
  );
  await rejects(
    loadDecoder(unknown),
    ArgumentError,
    /^Cannot use this value of algorithm: expected \[lz4, zstd\], got brotli$/,
  );
  const options = { dtype: 'F32', shape: [2], algorithm: unknown } as const;
  throws(
    () => planHctHeader(options),
    ArgumentError,
    /^Cannot use this value of algorithm: expected \[lz4, zstd\], got brotli$/,
  );
});

test.run();
