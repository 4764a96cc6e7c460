import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Two threads that decode `file`, each into an array of its own, without a pool or any message but "go". */
export class PlainThreads {
  readonly #threads: readonly Worker[];

  constructor(file: Uint8Array, elements: number) {
    const bytes = new Uint8Array(new SharedArrayBuffer(file.length));
    bytes.set(file);
    this.#threads = [1, 2].map(() => {
      const out = new Float32Array(new SharedArrayBuffer(elements * Float32Array.BYTES_PER_ELEMENT));
      return new Worker(new URL('plainThread.mjs', import.meta.url), { workerData: { file: bytes, out } });
    });
  }

  /** Decodes `times` times, shared evenly by this many threads. */
  async decode(times: number, threads: number): Promise<void> {
    const busy = this.#threads.slice(0, threads);
    await Promise.all(
      busy.map(async (thread) => {
        thread.postMessage(times / threads);
        await once(thread, 'message');
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}
