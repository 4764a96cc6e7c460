import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertFinite } from '../../../src/encodings/encoderInput.js';
import { ArgumentError } from '../../../src/errors.js';
import { throws } from '../../helpers/assertions.js';

test('a NaN or an infinity is refused, naming the first index', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const values = new Float32Array(10).fill(1);
    values[7] = bad;
    values[9] = bad;
    const error = throws(() => assertFinite(values), ArgumentError, /element 7/);
    assert.ok(Object.is(error.actual, bad));
  }
});

test('finite values pass, also none and the extremes', () => {
  assertFinite(new Float32Array(0));
  assertFinite(Float32Array.of(0, -0, 1e-45, 3.4028234663852886e38, -3.4028234663852886e38));
});

test.run();
