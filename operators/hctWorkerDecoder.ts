import { likeAligned } from '../src/bytes/sharedMemory.js';
import { type BlockOfRun, decodedBytesOf } from '../src/hct/blockRun.js';
import { type DecodeBlock, type HctDecodeOptions, loadBlockDecoder } from '../src/hct/decodeBlock.js';
import type { HctPartHandler } from '../src/hct/decoder.js';
import type { HctHeader } from '../src/hct/header.js';
import { HctParser } from '../src/hct/parser.js';
import type { HctBlock, HctPart } from '../src/hct/parts.js';
import { NOTHING, type Outputs, type Stage } from '../src/stage.js';
import type { Buffers } from '../workers/buffers.js';
import { sharedPool, type WorkerPool } from '../workers/pool.js';
import { MIN_WORKER_BYTES } from '../workers/task.js';

/** Bytes of tensor that go to a worker at a time: the messages' cost is small against decoding them. */
const RUN_BYTES = 2 ** 20;

/** What becomes of the parts of a file. */
export interface HctRunHandler<O> {
  /** Takes start and end, and the blocks of a file that is too small for workers. */
  readonly part: HctPartHandler<O>;
  /** Takes what a worker has made of blocks that follow each other. */
  readonly decoded: (bytes: Uint8Array, byteOffset: number) => Iterable<O>;
  /** `decoded` is done with the bytes when it ends: their memory is used again. */
  readonly copies: boolean;
}

interface RunUnderWay {
  readonly decoded: Promise<Uint8Array>;
  readonly byteOffset: number;
}

/**
 * A whole file's bytes in, something made of its parts out, with other threads verifying and decompressing. Runs of
 * blocks go to the pool as they arrive and come out in order; when as many are under way as keep the pool busy, the
 * input waits.
 */
export class HctWorkerDecoder<O> implements Stage<Uint8Array, O> {
  readonly #pool: WorkerPool;
  readonly #handler: HctRunHandler<O>;
  readonly #options: HctDecodeOptions;
  readonly #parser: HctParser;
  readonly #closed = new AbortController();
  #header!: HctHeader;
  #decode!: DecodeBlock;
  #run: GrowingRun | undefined;
  readonly #underWay: RunUnderWay[] = [];

  constructor(workers: number | WorkerPool, handler: HctRunHandler<O>, options: HctDecodeOptions) {
    this.#pool = sharedPool(workers);
    this.#handler = handler;
    this.#options = options;
    this.#parser = new HctParser(options);
  }

  push(chunk: Uint8Array): Outputs<O> {
    const parts = this.#parser.push(chunk);
    return parts === NOTHING ? NOTHING : this.#take(parts);
  }

  flush(): AsyncIterable<O> {
    return this.#take(this.#parser.flush());
  }

  close(): void {
    this.#closed.abort();
    if (this.#run !== undefined) this.#pool.buffers.give([this.#run.compressed.buffer]);
  }

  async *#take(parts: Iterable<HctPart>): AsyncIterable<O> {
    for (const part of parts) {
      if (part.kind === 'start') {
        this.#header = part.header;
        this.#decode = await loadBlockDecoder(part.header.algorithm, this.#options);
      }
      if (part.kind === 'block' && this.#header.originalSize >= MIN_WORKER_BYTES.decompression) {
        this.#collect(part);
        yield* this.#settle(this.#pool.capacity - 1);
        continue;
      }
      if (part.kind === 'end') {
        this.#send();
        yield* this.#settle(0);
      }
      yield* this.#handler.part(part, this.#decode);
    }
  }

  #collect(block: HctBlock): void {
    const { buffers } = this.#pool;
    this.#run ??= { compressed: buffers.take(RUN_BYTES), size: 0, byteLength: 0, blocks: [] };
    addToRun(this.#run, block, buffers);
    if (this.#run.byteLength >= RUN_BYTES) this.#send();
  }

  #send(): void {
    if (this.#run === undefined) return;
    const { compressed, blocks } = this.#run;
    this.#run = undefined;
    const { implementation, verify = true } = this.#options;
    const { algorithm, blockSize } = this.#header;
    const decoded = this.#pool.runPrepared(
      'decodeBlockRun',
      (buffers) => {
        const out = this.#handler.copies ? buffers.take(decodedBytesOf(blocks)) : undefined;
        return {
          input: { algorithm, implementation, verify, compressed, blocks, out },
          transfer: out === undefined ? [] : [out.buffer],
          borrowed: [compressed.buffer],
        };
      },
      { signal: this.#closed.signal },
    );
    // It is awaited in its turn; until then, its failure is nobody's.
    decoded.catch(() => {});
    this.#underWay.push({ decoded, byteOffset: blocks[0]!.blockIndex * blockSize });
  }

  /** Waits until no more than so many runs are under way. */
  async *#settle(most: number): AsyncIterable<O> {
    while (this.#underWay.length > most) {
      const { decoded, byteOffset } = this.#underWay.shift()!;
      const bytes = await decoded;
      yield* this.#handler.decoded(bytes, byteOffset);
      if (this.#handler.copies) this.#pool.buffers.give([bytes.buffer]);
    }
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

/** Copies the block: it is a view of a chunk that its owner may use again. */
function addToRun(
  run: GrowingRun,
  { blockIndex, byteLength, checksum, compressed }: HctBlock,
  buffers: Buffers,
): void {
  const offset = likeAligned(run.size, compressed);
  run.size = offset + compressed.length;
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
