import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { embedded } from '../../../../src/encodings/embedded/embedded.js';
import type { DType } from '../../../../src/tensor/dtype.js';
import { float32ToBfloat16, float32ToHalf } from '../../../../src/tensor/float.js';
import type { Tensor } from '../../../../src/tensor/tensor.js';
import { viewBytes, viewElements } from '../../../../src/tensor/views.js';
import { decodeReference } from '../../../helpers/embeddedReference.js';
import { encodeWith } from '../../../helpers/encodings.js';
import { noise, pseudoRandomBytes } from '../../../helpers/random.js';
import { readWeight } from '../../../helpers/weights.js';

/** Every prefix of fragments, through our decoder and through the one written from the document. */
function compare(name: string, tensor: Tensor<DType>, fragments = 6): void {
  const { encoded, request } = encodeWith(embedded, tensor, {}, { fragments });
  const { payloads } = encoded;
  const decoder = embedded.createDecoder({ ...request, fragments: payloads.length }, {});
  const out = new Float32Array(request.rows * request.cols);
  payloads.forEach((payload, k) => {
    decoder.addFragment(k, payload);
    decoder.reconstruct(out);
    const reference = decodeReference(payloads.slice(0, k + 1), tensor.dtype);
    const { values, patterns, cosine, relativeError } = reference;
    const different = values.findIndex((value, i) => patterns[i]! < 0 && value !== out[i]);
    assert.is(different, -1, `${name}, fragment ${k}: ${values[different]} and ${out[different]}`);
    assert.equal([decoder.quality.cosine, decoder.quality.relativeError], [cosine, relativeError], name);
  });
  const { patterns } = decodeReference(payloads, tensor.dtype);
  if (tensor.dtype === 'I8') return;
  const bits = viewElements(tensor.dtype === 'F32' ? 'U32' : 'U16', viewBytes(tensor.data)) as Uint32Array;
  assert.is(
    bits.findIndex((pattern, i) => pattern !== patterns[i]),
    -1,
    name,
  );
}

test('a decoder written from the format document agrees, on weights', () => {
  const { data } = readWeight('silero-vad-16k', 'stft_conv.weight');
  const some = data.subarray(20000, 20000 + 9000);
  compare('F32', { dtype: 'F32', shape: [some.length], data: some });
  compare('BF16', { dtype: 'BF16', shape: [some.length], data: float32ToBfloat16(some) });
  compare('F16', { dtype: 'F16', shape: [some.length], data: float32ToHalf(some) });
});

test('… on integers, on many zeros, and on everything that is special', () => {
  const bytes = pseudoRandomBytes(8000);
  compare('I8', { dtype: 'I8', shape: [8000], data: new Int8Array(bytes.buffer) });
  compare('patterns', { dtype: 'F16', shape: [4000], data: new Uint16Array(bytes.buffer) });
  const sparse = noise(5000).map((value, i) => (i % 7 === 0 ? value ** 3 : i % 11 === 0 ? -0 : 0));
  compare('sparse', { dtype: 'F32', shape: [5000], data: sparse });
  compare('sparse', { dtype: 'BF16', shape: [5000], data: float32ToBfloat16(sparse) });
  const tiny = noise(3000).map((value) => value * 1e-38);
  compare('subnormal', { dtype: 'F32', shape: [3000], data: tiny });
  compare('zeros', { dtype: 'F32', shape: [700], data: new Float32Array(700) });
  compare('empty', { dtype: 'F32', shape: [0], data: new Float32Array(0) });
  const outlier = noise(6000).with(99, 1e9);
  compare('outlier', { dtype: 'F32', shape: [6000], data: outlier });
});

test.run();
