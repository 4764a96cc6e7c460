import { HctRunDecoder } from '../operators/hctRunDecoder.js';
import { isShared } from '../src/bytes/sharedMemory.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { FetchedRun } from '../src/hct/blockRun.js';
import type { HctDecodeOptions } from '../src/hct/decodeBlock.js';
import type { HctHeader } from '../src/hct/header.js';
import { eachBounded } from '../workers/eachBounded.js';
import type { WorkerPool } from '../workers/pool.js';
import { sharedPool } from '../workers/sharedPool.js';
import { copyOverlap, within } from './tensorReader.js';

/**
 * Fills `out` with the bytes of the tensor from `byteStart` on, from runs that hold all of them. Workers write directly
 * to shared memory; for other memory, this thread copies their output.
 */
export async function decodeRunsInWorkers(
  workers: number | WorkerPool,
  header: HctHeader,
  runs: AsyncIterable<FetchedRun>,
  out: Uint8Array,
  byteStart: number,
  options: HctDecodeOptions & AbortOptions,
): Promise<void> {
  const pool = sharedPool(workers);
  const decoder = new HctRunDecoder(pool, header, options);
  const decode = async (run: FetchedRun, signal: AbortSignal) => {
    const start = run.byteOffset - byteStart;
    const direct = isShared(out.buffer) ? within(out, start, run.byteLength) : undefined;
    const decoded = await decoder.decode({ ...run, pooled: false }, direct ?? 'pooled', signal);
    if (direct !== undefined) return;
    copyOverlap(decoded, start, out);
    pool.buffers.give([decoded.buffer]);
  };
  await eachBounded(runs, pool.capacity, decode, options.signal);
}
