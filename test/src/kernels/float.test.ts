import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../../../src/errors.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { dequantize } from '../../../src/tensor/dequantize.js';
import * as portable from '../../../src/tensor/float.js';
import { dequantizeGroups } from '../../../src/tensor/quantization.js';
import { throws } from '../../helpers/assertions.js';
import { randomUint32From } from '../../helpers/random.js';

const wasm = await loadKernels({ implementation: 'wasm' });

const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** Any patterns but with many near the edges: exponents spread evenly, mantissas often all zeros or ones. */
function randomFloats(count: number): Float32Array {
  const next = randomUint32From(12345);
  const edges = [0, 1, 0xfff, 0x1000, 0x1001, 0x7fff, 0x8000, 0x8001, 0x7fffff];
  const patterns = Uint32Array.from({ length: count }, () =>
    next() & 0x100 ? next() : ((next() & 0xff800000) | edges[(next() >>> 8) % edges.length]!) >>> 0,
  );
  return new Float32Array(patterns.buffer);
}

test('widens every pattern as the portable functions do', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, pattern) => pattern);
  assert.equal(bits(wasm.halfToFloat32(all)), bits(portable.halfToFloat32(all)));
  assert.equal(bits(wasm.bfloat16ToFloat32(all)), bits(portable.bfloat16ToFloat32(all)));
});

test('rounds as the portable functions do', () => {
  const values = randomFloats(300_000);
  assert.equal(wasm.float32ToHalf(values), portable.float32ToHalf(values));
  assert.equal(wasm.float32ToBfloat16(values), portable.float32ToBfloat16(values));
});

test('takes any length and writes nothing beside the output', () => {
  for (const length of [0, 1, 7, 8, 9, 8191, 8192, 8193, 20000]) {
    const values = randomFloats(length + 1).subarray(1);
    const halves = new Uint16Array(length + 2).fill(0xabcd);
    assert.is(wasm.float32ToHalf(values, halves.subarray(1, -1)).length, length);
    assert.equal([halves[0], halves.at(-1)], [0xabcd, 0xabcd]);
    assert.equal(halves.slice(1, -1), portable.float32ToHalf(values));
    assert.equal(bits(wasm.halfToFloat32(halves)), bits(portable.halfToFloat32(halves)));
  }
});

test('dequantizes as the portable function does, groups of any length', () => {
  const values = Int8Array.from({ length: 20_001 }, (_, i) => (i * 37) & 0xff);
  for (const groupLength of [1, 7, 16, 128, 8192, 8200, 20_001]) {
    const scales = randomFloats(Math.ceil(values.length / groupLength)).map((scale) =>
      Number.isFinite(scale) ? scale : 0.1,
    );
    for (const zeroPoint of [-128, 0, 3, 127]) {
      const [ours, expected] = [new Float32Array(values.length), new Float32Array(values.length)];
      wasm.dequantizeGroups(values, scales, groupLength, zeroPoint, ours);
      dequantizeGroups(values, scales, groupLength, zeroPoint, expected);
      assert.equal(bits(ours), bits(expected), `groups of ${groupLength}, zero point ${zeroPoint}`);
    }
  }
  const weights = new Float32Array(3);
  const metadata = {
    scheme: 'symmetric-int8',
    perGroupScales: false,
    scaleBits: 0x3800,
    zeroPoint: 1,
    groupSize: 0,
  } as const;
  assert.equal(dequantize(Int8Array.of(1, 2, -3), { metadata }, weights, wasm), Float32Array.of(0, 0.5, -2));
});

test('refuses an output of another length', () => {
  throws(
    () => wasm.halfToFloat32(new Uint16Array(3), new Float32Array(2)),
    ArgumentError,
    /value of out: expected a Float32Array of length 3, got .* 2/,
  );
});

test.run();
