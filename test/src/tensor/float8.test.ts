import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { halfToFloat32 } from '../../../src/tensor/float.js';
import { float8ToFloat32 } from '../../../src/tensor/float8.js';

const test = suite('tensor/float8');

test('E5M2 is the upper byte of half precision, bit for bit, the payloads of NaNs among it', () => {
  // So many that the engine compiles the loop, which has changed such bits.
  const bytes = Uint8Array.from({ length: 2_000_000 }, (_, i) => i);
  const halves = Uint16Array.from(bytes, (byte) => byte << 8);
  const numbers = float8ToFloat32('F8_E5M2', bytes, new Float32Array(bytes.length));
  const same = new Uint32Array(halfToFloat32(halves).buffer);
  assert.is(
    new Uint32Array(numbers.buffer).findIndex((bits, i) => bits !== same[i]),
    -1,
  );
});

test.run();
