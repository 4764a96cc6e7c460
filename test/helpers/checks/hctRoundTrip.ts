import * as assert from 'uvu/assert';
import { HctReader } from '../../../readers/hctReader.js';
import { readSafetensorsHeader } from '../../../readers/safetensors.js';
import { HctWriter } from '../../../sinks/hct.js';
import { memorySink } from '../../../sinks/memory.js';
import { collectTensor } from '../../../sinks/tensor.js';
import { bytesSource } from '../../../sources/bytes.js';
import { DTYPES, type DType, elementCount } from '../../../src/tensor/dtype.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { chunked } from '../streams.js';

/** One run per block size: small, the default, larger than most tensors. */
const RUNS = [
  { version: 1, algorithm: 'lz4', blockSize: 4096 },
  { version: 2, algorithm: 'lz4', blockSize: 16384 },
  { version: 1, algorithm: 'zstd', blockSize: 16384 },
  { version: 2, algorithm: 'zstd', blockSize: 1 << 20 },
] as const;

/** Asserts that all tensors of a safetensors file come back from HCT files bit for bit. */
export async function checkHctRoundTrip(bytes: Uint8Array): Promise<void> {
  const { tensors } = await readSafetensorsHeader(bytesSource(bytes));
  for (const { name, dtype, shape: trueShape, offset, byteLength } of tensors) {
    if (!DTYPES.includes(dtype as DType)) continue;
    const content = bytes.subarray(offset, offset + byteLength);
    for (const run of RUNS) {
      // Version 1 has no place for a fourth dimension.
      const tooMany = run.version === 1 && trueShape.length > 3;
      const shape = tooMany ? [elementCount(trueShape)] : trueShape;
      const sink = memorySink();
      const writer = new HctWriter(sink, { ...run, dtype: dtype as DType, shape });
      await writer.write(content);
      await writer.close();
      const reader = await HctReader.open(bytesSource(sink.bytes));
      for (const tensor of [await reader.readAll(), await collectTensor(chunked(sink.bytes, 65536))]) {
        assert.ok(Buffer.from(viewBytes(tensor.data)).equals(content), `${name} ${JSON.stringify(run)}`);
        assert.equal([tensor.dtype, tensor.shape], [dtype, shape]);
      }
    }
  }
}
