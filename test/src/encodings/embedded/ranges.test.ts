import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { embedded } from '../../../../src/encodings/embedded/embedded.js';
import type { ElementRange } from '../../../../src/encodings/encoding.js';
import { RANGE_STEPS } from '../../../../src/encodings/encoding.js';
import { loadDtype } from '../../../../src/encodings/otherDtypes.js';
import { ArgumentError } from '../../../../src/errors.js';
import { loadKernels } from '../../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../../src/kernels/portableKernels.js';
import { byteLengthOf, type DType } from '../../../../src/tensor/dtype.js';
import { fromFloat32 } from '../../../../src/tensor/numbers.js';
import { throws } from '../../../helpers/assertions.js';
import { noise } from '../../../helpers/random.js';

await loadDtype('I8');

const STEP = RANGE_STEPS.embedded!;
const COUNT = 3 * STEP - 1234;
const SHAPE = { rows: 1, cols: COUNT };
const RANGES: ElementRange[] = [
  { start: 0, end: STEP },
  { start: STEP, end: COUNT },
  { start: 2 * STEP, end: COUNT },
  { start: 0, end: COUNT },
];
const wasm = await loadKernels();

for (const dtype of ['F32', 'F16', 'BF16', 'I8', 'I4'] satisfies DType[]) {
  test(`${dtype}: a range of the elements is what it is in the whole`, () => {
    const values = noise(COUNT, 5).map((value) => (dtype.startsWith('I') ? Math.round(3 * value) : value));
    const tensor = { dtype, shape: [COUNT], data: fromFloat32(dtype, values) };
    const request = { ...SHAPE, tensor, fragments: 5, seed: 1n, kernels: wasm };
    const { payloads } = embedded.encode(request, {});
    const fragments = payloads.length;
    for (const kernels of [wasm, portableKernels]) {
      const decoder = (range?: ElementRange) =>
        embedded.createDecoder({ ...SHAPE, dtype, fragments, seed: 1n, norm: 1, range, kernels }, {});
      const whole = decoder();
      const parts = RANGES.map((range) => ({ range, part: decoder(range) }));
      // The second fragment comes early.
      for (const index of [0, 2, 1, ...payloads.keys()].filter((each) => each < fragments)) {
        for (const each of [whole, ...parts.map(({ part }) => part)])
          each.addFragment(index, payloads[index]!);
        const numbers = new Float32Array(COUNT);
        const bytes = new Uint8Array(byteLengthOf(dtype, COUNT));
        whole.reconstruct(numbers);
        whole.reconstructElements!(bytes);
        for (const { range, part } of parts) {
          const { start, end } = range;
          const [first, last] = [byteLengthOf(dtype, start), byteLengthOf(dtype, end)];
          const someNumbers = new Float32Array(end - start);
          const someBytes = new Uint8Array(last - first);
          part.reconstruct(someNumbers);
          part.reconstructElements!(someBytes);
          assert.ok(Buffer.from(someNumbers.buffer).equals(Buffer.from(numbers.slice(start, end).buffer)));
          assert.ok(Buffer.from(someBytes).equals(bytes.subarray(first, last)));
          assert.equal(part.quality, whole.quality);
        }
      }
      throws(() => parts[0]!.part.reconstruct(new Float32Array(COUNT)), ArgumentError, /value of out/);
    }
  });
}

test.run();
