import * as assert from 'uvu/assert';
import { embedded } from '../../../src/encodings/embedded/embedded.js';
import type { DType } from '../../../src/tensor/dtype.js';
import { float32ToBfloat16, float32ToHalf } from '../../../src/tensor/float.js';
import { type Tensor, viewBytes, viewElements } from '../../../src/tensor/tensor.js';
import { decodeReference, float8Pattern } from '../embeddedReference.js';
import { encodeWith } from '../encodings.js';

/** Every prefix of fragments, through our decoder and through the one written from the document. */
export function compareWithReference(name: string, tensor: Tensor<DType>, fragments = 6): void {
  const { encoded, request } = encodeWith(embedded, tensor, {}, { fragments });
  const { payloads } = encoded;
  const decoder = embedded.createDecoder({ ...request, fragments: payloads.length }, {});
  const out = new Float32Array(request.rows * request.cols);
  payloads.forEach((payload, k) => {
    decoder.addFragment(k, payload);
    decoder.reconstruct(out);
    const reference = decodeReference(payloads.slice(0, k + 1), tensor.dtype);
    const { values, patterns, cosine } = reference;
    const different = values.findIndex((value, i) => patterns[i]! < 0 && value !== out[i]);
    assert.is(different, -1, `${name}, fragment ${k}: ${values[different]} and ${out[different]}`);
    assert.is(decoder.quality.cosine, cosine, name);
  });
  const { patterns } = decodeReference(payloads, tensor.dtype);
  if (tensor.dtype === 'I8') return;
  const bits = tensor.dtype.startsWith('F8')
    ? Uint32Array.from(tensor.data as Uint8Array, (byte) => float8Pattern(tensor.dtype, byte))
    : (viewElements(tensor.dtype === 'F32' ? 'U32' : 'U16', viewBytes(tensor.data)) as Uint32Array);
  assert.is(
    bits.findIndex((pattern, i) => pattern !== patterns[i]),
    -1,
    name,
  );
}

/** The same for weights in each floating-point dtype. */
export function checkReferenceDecoder(data: Float32Array): void {
  const shape = [data.length];
  compareWithReference('F32', { dtype: 'F32', shape, data });
  compareWithReference('BF16', { dtype: 'BF16', shape, data: float32ToBfloat16(data) });
  compareWithReference('F16', { dtype: 'F16', shape, data: float32ToHalf(data) });
}
