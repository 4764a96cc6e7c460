import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctReader } from '../../../readers/hctReader.js';
import { readSafetensorsHeader } from '../../../readers/safetensors.js';
import { HctWriter } from '../../../sinks/hctWriter.js';
import { memorySink } from '../../../sinks/memory.js';
import { collectTensor } from '../../../sinks/tensor.js';
import { bytesSource } from '../../../sources/bytes.js';
import { DTYPES, type DType, elementCount } from '../../../src/tensor/dtype.js';
import { viewBytes } from '../../../src/tensor/views.js';
import { readShared, sharedFiles } from '../../helpers/shared.js';
import { chunked } from '../../helpers/streams.js';

const test = suite('HCT: real weights, bit for bit');

/** One run a block size: small, the default, larger than most tensors. */
const RUNS = [
  { version: 1, algorithm: 'lz4', blockSize: 4096 },
  { version: 2, algorithm: 'lz4', blockSize: 16384 },
  { version: 1, algorithm: 'zstd', blockSize: 16384 },
  { version: 2, algorithm: 'zstd', blockSize: 1 << 20 },
] as const;

for (const file of sharedFiles('weights', '.safetensors')) {
  test(file, async () => {
    const bytes = readShared(`weights/${file}`);
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
  });
}

test.run();
