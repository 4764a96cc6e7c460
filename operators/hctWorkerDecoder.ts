import type { BytesLike } from '../src/bytes/binary.js';
import { likeAligned } from '../src/bytes/sharedMemory.js';
import { type BlockOfRun, type PlannedRun, planRuns } from '../src/hct/blockRun.js';
import { type DecodeBlock, type HctDecodeOptions, loadBlockDecoder } from '../src/hct/decodeBlock.js';
import type { HctPartHandler } from '../src/hct/decoder.js';
import type { HctHeader } from '../src/hct/header.js';
import type { HctBlock, HctPart } from '../src/hct/parts.js';
import { NOTHING, type Outputs, type Stage, type SyncStage } from '../src/stage.js';
import type { WorkerPool } from '../workers/pool.js';
import { sharedPool } from '../workers/sharedPool.js';
import { MIN_WORKER_BYTES } from '../workers/task.js';
import { HctRunDecoder } from './hctRunDecoder.js';

/**
 * Bytes of tensor that go to a worker at a time: the messages' cost is small against decoding them. Compressed, they
 * are hardly more; an index that says so must not make anyone allocate.
 */
const RUN_LIMITS = { maxBytes: 2 ** 20, maxCompressed: 2 ** 21 } as const;

/** See `likeAligned`. */
const ALIGNMENT = 8;

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
export class HctWorkerDecoder<O> implements Stage<BytesLike, O> {
  readonly #pool: WorkerPool;
  readonly #handler: HctRunHandler<O>;
  readonly #options: HctDecodeOptions;
  readonly #parser: SyncStage<BytesLike, HctPart>;
  readonly #closed = new AbortController();
  #header!: HctHeader;
  #decode!: DecodeBlock;
  #decoder!: HctRunDecoder;
  #plan!: Iterator<PlannedRun>;
  #run: GrowingRun | undefined;
  readonly #underWay: RunUnderWay[] = [];

  /** @param parser of the whole file: pages that decode without workers have it, too */
  constructor(
    workers: number | WorkerPool,
    parser: SyncStage<BytesLike, HctPart>,
    handler: HctRunHandler<O>,
    options: HctDecodeOptions,
  ) {
    this.#pool = sharedPool(workers);
    this.#handler = handler;
    this.#options = options;
    this.#parser = parser;
  }

  push(chunk: BytesLike): Outputs<O> {
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
        this.#decode = await loadBlockDecoder(part.header, this.#options);
        this.#decoder = new HctRunDecoder(this.#pool, part.header, this.#options);
        this.#plan = planRuns(part.header, part.blocks, RUN_LIMITS)[Symbol.iterator]();
      }
      if (part.kind === 'block' && this.#header.originalSize >= MIN_WORKER_BYTES.decompression) {
        this.#collect(part);
        yield* this.#settle(this.#pool.capacity - 1);
        continue;
      }
      if (part.kind === 'end') yield* this.#settle(0);
      yield* this.#handler.part(part, this.#decode);
    }
  }

  #collect(block: HctBlock): void {
    this.#run ??= this.#nextRun();
    const { blocks, planned, compressed } = this.#run;
    const offset = likeAligned(this.#run.size, block.compressed);
    this.#run.size = offset + block.compressed.length;
    compressed.set(block.compressed, offset);
    blocks.push({ ...planned.blocks[blocks.length]!, offset });
    if (blocks.length === planned.blocks.length) this.#send(this.#run);
  }

  #nextRun(): GrowingRun {
    const planned = this.#plan.next().value!;
    // As much as alignment can take, too.
    const size = planned.end - planned.start + ALIGNMENT * planned.blocks.length;
    return { planned, compressed: this.#pool.buffers.take(size), size: 0, blocks: [] };
  }

  #send({ planned, compressed, blocks }: GrowingRun): void {
    this.#run = undefined;
    const { byteOffset, byteLength } = planned;
    const decoded = this.#decoder.decode(
      { blocks, byteLength, compressed, pooled: true },
      this.#handler.copies ? 'pooled' : undefined,
      this.#closed.signal,
    );
    // `#settle` awaits it later; until then, a failure must not be reported as unhandled.
    decoded.catch(() => {});
    this.#underWay.push({ decoded, byteOffset });
  }

  /** Waits until at most `most` runs are under way. */
  async *#settle(most: number): AsyncIterable<O> {
    while (this.#underWay.length > most) {
      const { decoded, byteOffset } = this.#underWay.shift()!;
      const bytes = await decoded;
      yield* this.#handler.decoded(bytes, byteOffset);
      if (this.#handler.copies) this.#pool.buffers.give([bytes.buffer]);
    }
  }
}

/** A run whose blocks are arriving. */
interface GrowingRun {
  readonly planned: PlannedRun;
  /** Copies of the blocks, because they are views of a chunk that its owner may use again; filled up to `size`. */
  readonly compressed: Uint8Array;
  size: number;
  /** Where they are in `compressed`. */
  readonly blocks: BlockOfRun[];
}
