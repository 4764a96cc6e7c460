import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HoloTensorReader } from '../../../readers/holotensorReader.js';
import { HoloTensorWriter } from '../../../sinks/holotensor.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { loadDecodingOf, loadDecodings } from '../../../src/encodings/decodings.js';
import { EmbeddedDecoder } from '../../../src/encodings/embedded/decoder.js';
import { UnsupportedError } from '../../../src/errors.js';
import { HoloTensorDecoder } from '../../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../../src/holotensor/encoder.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import type { DType } from '../../../src/tensor/dtype.js';
import { viewBytes, viewElements } from '../../../src/tensor/tensor.js';
import { throws } from '../../helpers/assertions.js';

const test = suite('decoders of other dtypes than floats of 16 and 32 bits');

const BYTES = Uint8Array.from({ length: 256 }, (_, i) => (i * 37) % 120);

function encoded(dtype: DType) {
  const data = viewElements(dtype, BYTES);
  return new HoloTensorEncoder('embedded', { fragments: 3 }).encodeTensor({ dtype, shape: [16, 16], data });
}

// The first test: what one has loaded stays.
test('a synchronous decoder asks for what it lacks', async () => {
  await loadDecodingOf({ encoding: 'embedded', dtype: 'F32' });
  for (const dtype of ['I8', 'F8_E4M3'] as const) {
    const { header } = encoded(dtype);
    const asks = /call await loadDecodings\(\['embedded'\]\)/;
    throws(() => new HoloTensorDecoder(header), UnsupportedError, asks);
    const request = { rows: 16, cols: 16, dtype, fragments: 3, seed: 0n, norm: undefined };
    throws(() => new EmbeddedDecoder({ ...request, kernels: portableKernels }), UnsupportedError, asks);
  }
});

test('readers load it with the decoder', async () => {
  for (const dtype of ['F8_E5M2', 'F8_E4M3', 'I8'] as const) {
    const { header, fragments } = encoded(dtype);
    const sink = memorySink();
    await new HoloTensorWriter(sink).write(header, fragments);
    const reader = await HoloTensorReader.open(bytesSource(sink.bytes));
    assert.equal(viewBytes((await reader.readAll({ dtype: 'source' })).data), BYTES);
  }
});

test('loadDecodings loads it for any tensor', async () => {
  await loadDecodings(['embedded']);
  const { header, fragments } = encoded('I8');
  const decoder = new HoloTensorDecoder(header);
  for (const fragment of fragments) decoder.addFragment(fragment);
  assert.equal(viewBytes(decoder.reconstructTensor().data), BYTES);
});

test.run();
