import { bytesSource } from '../sources/bytes.js';
import { float32ToBfloat16 } from '../src/float.js';
import { HoloTensorEncoder } from '../src/holotensor/encoder.js';
import { packHoloTensor } from '../src/holotensor/pack.js';
import { HoloTensorReader } from '../src/holotensor/reader.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { SeededRng } from '../src/rng.js';
import { WorkerPool } from '../src/workers/pool.js';
import { compare, warmCopy } from './harness.js';

const TENSORS = 8;
const SIDE = 1024;

/** A model of eight tensors decoded whole, by this thread and by workers. The copy is of the decoded f32. */
export async function run(): Promise<void> {
  const kernels = await loadKernels();
  const url = new URL('../test/helpers/workerFromSource.mjs', import.meta.url);
  const pools = [1, 2].map((size) => new WorkerPool(size, { url }));
  for (const encoding of ['embedded', 'spectral'] as const) {
    const rng = new SeededRng(7n);
    const numbers = Float32Array.from({ length: SIDE * SIDE }, () => 0.02 * rng.nextNormal());
    const data = float32ToBfloat16(numbers);
    const { header, fragments } = new HoloTensorEncoder(encoding, { kernels }).encodeTensor({
      dtype: 'BF16',
      shape: [SIDE, SIDE],
      data,
    });
    const file = new Uint8Array(Buffer.concat(packHoloTensor(header, fragments, { kernels })));
    const decode = (workers?: WorkerPool) => async () => {
      const readers = Array.from({ length: TENSORS }, () =>
        HoloTensorReader.open(bytesSource(file), { workers }),
      );
      await Promise.all(readers.map(async (reader) => (await reader).readAll()));
    };
    const bytes = TENSORS * SIDE * SIDE * Float32Array.BYTES_PER_ELEMENT;
    await compare(`${TENSORS} × ${SIDE}², ${encoding}`, bytes, [
      warmCopy(bytes),
      { name: 'no worker', run: decode() },
      { name: 'one worker', run: decode(pools[0]), baseline: true },
      { name: 'two workers', run: decode(pools[1]) },
    ]);
  }
  for (const pool of pools) pool.close();
}
