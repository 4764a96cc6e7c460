import type { CompressionAlgorithm } from '../codecs/codec.js';
import type { Stage } from '../stage.js';
import type { Buffers } from '../workers/buffers.js';
import type { WorkerPool } from '../workers/pool.js';
import type { BlockOfRun } from './blockRun.js';
import type { HctDecodeOptions } from './decoder.js';
import { HctParser } from './parser.js';
import type { HctBlock, HctPart } from './parts.js';

/** Bytes of tensor that go to a worker at a time: the messages' cost is small against decoding them. */
const RUN_BYTES = 2 ** 20;

/**
 * A whole file's bytes in, its tensor's bytes out, with other threads verifying and decompressing. Runs of blocks go
 * to the pool as they arrive and come out in order; when as many are under way as keep the pool busy, the input waits.
 */
export class HctWorkerDecoder implements Stage<Uint8Array, Uint8Array> {
  readonly #pool: WorkerPool;
  readonly #options: HctDecodeOptions;
  readonly #parser: HctParser;
  readonly #closed = new AbortController();
  #algorithm: CompressionAlgorithm = 'lz4';
  #run: GrowingRun;
  #underWay: Promise<Uint8Array>[] = [];

  constructor(pool: WorkerPool, options: HctDecodeOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#parser = new HctParser(options);
    this.#run = emptyRun(pool.buffers);
  }

  async *push(chunk: Uint8Array): AsyncIterable<Uint8Array> {
    for (const part of this.#parser.push(chunk)) {
      this.#take(part);
      while (this.#underWay.length >= this.#pool.capacity) yield await this.#underWay.shift()!;
    }
  }

  async *flush(): AsyncIterable<Uint8Array> {
    for (const part of this.#parser.flush()) this.#take(part);
    this.#send();
    for (const decoded of this.#underWay) yield await decoded;
  }

  close(): void {
    this.#closed.abort();
  }

  #take(part: HctPart): void {
    if (part.kind === 'start') this.#algorithm = part.header.algorithm;
    if (part.kind !== 'block') return;
    addToRun(this.#run, part, this.#pool.buffers);
    if (this.#run.byteLength >= RUN_BYTES) this.#send();
  }

  #send(): void {
    const { compressed, blocks } = this.#run;
    if (blocks.length === 0) return;
    this.#run = emptyRun(this.#pool.buffers);
    const { implementation, verify = true } = this.#options;
    const algorithm = this.#algorithm;
    const decoded = this.#pool.runPrepared(
      'decodeBlockRun',
      () => ({
        input: { algorithm, implementation, verify, compressed, blocks },
        lent: [compressed.buffer],
      }),
      { signal: this.#closed.signal },
    );
    // It is awaited in its turn; until then, its failure is nobody's.
    decoded.catch(() => {});
    this.#underWay.push(decoded);
  }
}

interface GrowingRun {
  /** Filled up to `size`. */
  compressed: Uint8Array;
  size: number;
  /** Bytes of tensor. */
  byteLength: number;
  readonly blocks: BlockOfRun[];
}

function emptyRun(buffers: Buffers): GrowingRun {
  return { compressed: buffers.take(RUN_BYTES), size: 0, byteLength: 0, blocks: [] };
}

/** Copies the block: it is a view of a chunk that its owner may use again. */
function addToRun(
  run: GrowingRun,
  { blockIndex, byteLength, checksum, compressed }: HctBlock,
  buffers: Buffers,
): void {
  const offset = run.size;
  run.size += compressed.length;
  if (run.size > run.compressed.length) {
    const grown = buffers.take(Math.max(run.size, 2 * run.compressed.length));
    grown.set(run.compressed);
    buffers.give([run.compressed.buffer]);
    run.compressed = grown;
  }
  run.compressed.set(compressed, offset);
  run.byteLength += byteLength;
  run.blocks.push({ blockIndex, offset, compressedSize: compressed.length, byteLength, checksum });
}
