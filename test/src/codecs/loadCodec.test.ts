import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import { UnsupportedError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { zstdImplementations } from '../../helpers/zstdImplementations.js';

test('loads each codec once', () => {
  assert.is(loadCodec('zstd'), loadCodec('zstd'));
  assert.is(
    loadCodec('lz4', { implementation: 'portable' }),
    loadCodec('lz4', { implementation: 'portable' }),
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
  assert.is((await loadCodec('zstd')).implementation, zstdImplementations().at(-1));
  assert.is((await loadCodec('lz4')).implementation, 'wasm');
});

test('says so when a demanded implementation does not exist', async () => {
  await rejects(loadCodec('lz4', { implementation: 'native' }), UnsupportedError, /no native/);
  if (!zstdImplementations().includes('native')) {
    await rejects(loadCodec('zstd', { implementation: 'native' }), UnsupportedError, /no Zstd of its own/);
  }
});

test.run();
