import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { finish } from '../../../../src/async/steps.js';
import { loadDecodings } from '../../../../src/encodings/decodings.js';
import { HoloTensorDecoder } from '../../../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../../../src/holotensor/encoder.js';
import { loadKernels } from '../../../../src/kernels/loadKernels.js';
import { fromFloat32 } from '../../../../src/tensor/numbers.js';
import { viewBytes } from '../../../../src/tensor/tensor.js';
import { noise } from '../../../helpers/random.js';

/** The states and planes of 2^22 weights share memory. */
const SHARED = 2 ** 22;
const SHAPE = [2100, 2048];
const WEIGHTS = SHAPE[0]! * SHAPE[1]!;
/** Weights that are reconstructed in a step. */
const STEP = 2 ** 20;
/** Of a weight: its sign, whether it is significant, and what its group shares. */
const STATE_BYTES = 19 / 64;

const data = fromFloat32('BF16', noise(WEIGHTS, 3));

await loadDecodings(['embedded']);
const kernels = await loadKernels();
const encoder = new HoloTensorEncoder('embedded', { fragments: 6, kernels });
const { header, fragments } = encoder.encodeTensor({ dtype: 'BF16', shape: SHAPE, data });

function complete(): HoloTensorDecoder {
  const decoder = new HoloTensorDecoder(header);
  for (const fragment of fragments) decoder.addFragment(fragment);
  return decoder;
}

test('the last reconstruction frees what the fragments made', () => {
  const decoder = complete();
  const { postMessage } = MessagePort.prototype;
  let freed = 0;
  MessagePort.prototype.postMessage = function (this: MessagePort, ...sent: unknown[]) {
    for (const { byteLength } of sent[1] as ArrayBuffer[]) freed += byteLength;
    Reflect.apply(postMessage, this, sent);
  };
  try {
    finish(decoder.reconstructingTensor(undefined, false));
    assert.is(freed, 0);
    finish(decoder.reconstructingTensor(undefined, true));
    assert.ok(freed > STATE_BYTES * SHARED, `${freed}`);
  } finally {
    MessagePort.prototype.postMessage = postMessage;
  }
});

test('a last reconstruction that is left begins again, and others after it are the same', () => {
  const decoder = complete();
  const steps = decoder.reconstructingTensor(undefined, true);
  for (let at = 0; at < SHARED; at += STEP) assert.is(steps.next().done, false);
  for (const isLast of [true, false]) {
    const { data: found } = finish(decoder.reconstructingTensor(undefined, isLast));
    assert.is(Buffer.compare(viewBytes(found), viewBytes(data)), 0);
  }
  const wide = Uint32Array.from(data as Uint16Array, (pattern) => pattern << 16);
  assert.is(Buffer.compare(viewBytes(decoder.reconstruct()), viewBytes(wide)), 0);
});

test('one that is left while it makes anew what had been freed, too', () => {
  const decoder = complete();
  const left = decoder.reconstructingTensor(undefined, true);
  for (let at = 0; at < SHARED; at += STEP) assert.is(left.next().done, false);
  // Each pass over the tiles is a step at least.
  for (const steps of [1, 3]) {
    const again = decoder.reconstructingTensor(undefined, true);
    for (let step = 0; step < steps; step++) assert.is(again.next().done, false);
  }
  const { data: found } = finish(decoder.reconstructingTensor(undefined, true));
  assert.is(Buffer.compare(viewBytes(found), viewBytes(data)), 0);
});

test.run();
