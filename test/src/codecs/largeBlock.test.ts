import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import { loadDecoder } from '../../../src/codecs/loadDecoder.js';

// A file of its own: nothing else has loaded portable kernels in its process.

test('a large block that no wasm memory holds is decoded by the portable kernels', async () => {
  const data = new Uint8Array(2 ** 26).fill(7);
  const block = (await loadCodec('zstd', { implementation: 'wasm' })).compress(data);
  const decoder = await loadDecoder('zstd', { largestBlock: data.length });
  assert.is(decoder.implementation, 'wasm');
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = () => {
    throw new RangeError('no more memory');
  };
  const out = new Uint8Array(data.length);
  try {
    decoder.decompressInto(block, out);
  } finally {
    WebAssembly.Memory.prototype.grow = grow;
  }
  assert.ok(Buffer.from(out).equals(data));
});

test.run();
