import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { randomProjection } from '../../../../src/encodings/randomProjection/randomProjection.js';
import { spectral } from '../../../../src/encodings/spectral/spectral.js';
import { LimitError, UnsupportedError } from '../../../../src/errors.js';
import { loadKernels } from '../../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../../src/kernels/portableKernels.js';
import { throws } from '../../../helpers/assertions.js';
import { encodeRequest } from '../../../helpers/encodings.js';

const encodings = [
  () => spectral.createEncoder({}),
  () => spectral.createEncoder({ layout: 'ranked' }),
  () => randomProjection.createEncoder({}),
];

test('rows that no engine has tables for are refused at once, and what takes them is named', async () => {
  for (const kernels of [portableKernels, await loadKernels()]) {
    for (const shape of [[2 ** 24 + 64], [2 ** 24 + 1, 1]]) {
      const data = new Float32Array(shape[0]!);
      const request = { ...encodeRequest({ dtype: 'F32', shape, data }, 2), kernels };
      for (const create of encodings) {
        const start = performance.now();
        const encode = () => create().encode(request);
        const error = throws(encode, UnsupportedError, /"embedded" or "low-rank", or another shape/);
        assert.match(String(error.expected), /at most 16777216/);
        assert.is(error.actual, shape[0]);
        assert.ok(performance.now() - start < 1000);
      }
    }
  }
});

test('so are rows that a kernel has no memory for', () => {
  const full = new LimitError('no memory');
  const kernels = {
    ...portableKernels,
    dct2d: () => {
      throw full;
    },
  };
  for (const create of encodings) {
    const tensor = { dtype: 'F32', shape: [3, 5], data: new Float32Array(15) } as const;
    const encode = () => create().encode({ ...encodeRequest(tensor, 2), kernels });
    assert.is(throws(encode, UnsupportedError, /"embedded" or "low-rank"/).cause, full);
  }
});

test.run();
