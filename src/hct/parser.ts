import { ByteQueue } from '../bytes/byteQueue.js';
import { TruncatedError } from '../errors.js';
import { NOTHING, type SyncStage } from '../stage.js';
import type { HctLimits } from './constants.js';
import { demand, type HctDemand, parseHctEnd, parseHctStart } from './grammar.js';
import { blockLength } from './header.js';
import type { HctPart } from './parts.js';

/**
 * A file's bytes, cut anywhere, in; its parts out, each as soon as its last byte is there. One parser for both
 * versions. What stands behind the end is ignored, as the reference does.
 */
export class HctParser implements SyncStage<Uint8Array, HctPart> {
  readonly #queue = new ByteQueue();
  readonly #file: Iterator<HctDemand | HctPart, void, void>;
  /** What the next step waits for; undefined at the end. */
  #demand: HctDemand | undefined = NO_DEMAND;

  constructor(limits: HctLimits = {}) {
    this.#file = parseFile(this.#queue, limits);
  }

  push(chunk: Uint8Array): Iterable<HctPart> {
    this.#queue.push(chunk);
    return this.#queue.length < (this.#demand?.length ?? 0) ? NOTHING : this.#parts(false);
  }

  /** @throws TruncatedError when the file is not complete */
  *flush(): Iterable<HctPart> {
    yield* this.#parts(true);
    if (this.#demand !== undefined) {
      const offset = this.#queue.position + this.#queue.length;
      throw new TruncatedError(`HCT file ends within its ${this.#demand.section}`, { offset });
    }
  }

  *#parts(ended: boolean): Iterable<HctPart> {
    while (this.#demand !== undefined) {
      if (this.#queue.length < (ended ? this.#demand.least : this.#demand.length)) return;
      const { done, value } = this.#file.next();
      if (done) this.#demand = undefined;
      else if (value.kind === 'demand') this.#demand = value;
      else {
        this.#demand = NO_DEMAND;
        yield value;
      }
    }
    this.#queue.skip(this.#queue.length);
  }
}

const NO_DEMAND = demand('end', 0);

function* parseFile(queue: ByteQueue, limits: HctLimits): Generator<HctDemand | HctPart, void, void> {
  const start = yield* parseHctStart(queue, limits);
  yield start;
  const { header, blocks } = start;
  for (let blockIndex = 0; blockIndex < header.blockCount; blockIndex++) {
    const { compressedSize, checksum } = blocks.entry(blockIndex);
    yield demand('blocks', compressedSize);
    yield {
      kind: 'block',
      blockIndex,
      byteOffset: blockIndex * header.blockSize,
      byteLength: blockLength(header, blockIndex),
      checksum,
      compressed: queue.take(compressedSize)!,
    };
  }
  yield yield* parseHctEnd(queue, start);
}
