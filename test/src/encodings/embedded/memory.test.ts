import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { finish } from '../../../../src/async/steps.js';
import { HoloTensorEncoder } from '../../../../src/holotensor/encoder.js';
import { loadKernels } from '../../../../src/kernels/loadKernels.js';
import { fromFloat32 } from '../../../../src/tensor/numbers.js';
import { viewBytes, viewElements } from '../../../../src/tensor/tensor.js';
import { noise } from '../../../helpers/random.js';

/** More than two steps. */
const SHAPE = [1100, 2048];
const values = noise(SHAPE[0]! * SHAPE[1]!, 5);
const kinds = {
  numbers: values,
  'with zeros and NaNs': values.map((value, i) => (i % 3 === 0 ? 0 : i % 70_001 === 0 ? Number.NaN : value)),
};

for (const dtype of ['BF16', 'F32', 'F8_E4M3', 'I8'] as const) {
  for (const [kind, numbers] of Object.entries(kinds)) {
    test(`${dtype}, ${kind}: fragments are the same in memory that is used again`, async () => {
      const data = fromFloat32(dtype, dtype === 'I8' ? numbers.map((value) => 40 * (value || 0)) : numbers);
      const before = viewBytes(data).slice();
      const kernels = await loadKernels();
      const encoder = new HoloTensorEncoder('embedded', { fragments: 9, kernels });
      const expected = encoder.encodeTensor({ dtype, shape: SHAPE, data });
      assert.equal(viewBytes(data), before, 'the elements stay as they are');
      for (const room of [before.length + 2 ** 16, 1000]) {
        const payloads = new Uint8Array(room).fill(7);
        const own = viewElements(dtype, before.slice());
        const memory = { mayOverwrite: true, payloads };
        const found = finish(encoder.encodingTensor({ dtype, shape: SHAPE, data: own }, memory));
        assert.equal(found, expected);
        const isThere = found.fragments.every(({ data: { buffer } }) => buffer === payloads.buffer);
        assert.is(isThere, room > 1000, 'payloads are in it if they fit');
      }
    });
  }
}

test.run();
