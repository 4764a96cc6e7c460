import { TruncatedError } from '../errors.js';
import { NOTHING, type SyncStage } from '../stage.js';
import type { BytesLike } from './binary.js';
import { ByteQueue } from './byteQueue.js';
import { assertKind, type OwnKind } from './fileKind.js';
import { PROBE_SIZE } from './fileStart.js';

/**
 * The order of the sections of a file, written once for both ways in. A grammar takes bytes from a queue; where it needs
 * more, it yields how many, and continues when they have arrived: {@link GrammarStage} has them pushed, `readGrammar` (in
 * `readers/`) reads them. It may yield parts of the file in between.
 */
export type Grammar<T, Part = never> = Generator<Demand | Part, T, void>;

/** What must be in the queue before a grammar can continue. */
export class Demand {
  /** The section of the file that the bytes belong to, for errors. */
  readonly section: string;
  readonly length: number;
  /** How many bytes are enough where the file ends. */
  readonly least: number;
  /** Bytes that must follow these, by the header of the file. */
  readonly followedBy: number;

  constructor(section: string, length: number, { least = length, followedBy = 0 } = {}) {
    this.section = section;
    this.length = length;
    this.least = least;
    this.followedBy = followedBy;
  }
}

/** The next `length` bytes of the file. */
export function* take(
  queue: ByteQueue,
  section: string,
  length: number,
  followedBy?: number,
): Grammar<Uint8Array> {
  yield new Demand(section, length, { followedBy });
  return queue.take(length)!;
}

const NO_DEMAND = /* @__PURE__ */ new Demand('end', 0);

/**
 * A file's bytes, cut anywhere, in; its parts out, each as soon as its last byte has arrived. What follows the end of the
 * file is ignored, as the references do.
 */
export class GrammarStage<Part extends object> implements SyncStage<BytesLike, Part> {
  readonly #format: OwnKind;
  readonly #queue: ByteQueue;
  readonly #file: Grammar<void, Part>;
  /** Undefined at the end. */
  #demand: Demand | undefined = NO_DEMAND;
  /** What it asks for: with fewer bytes, there is nothing to do. */
  #enough = 0;

  /**
   * @param format for errors
   * @param queue default: one whose bytes the parts can keep
   */
  constructor(
    format: OwnKind,
    parse: (queue: ByteQueue) => Grammar<void, Part>,
    queue: ByteQueue = new ByteQueue(),
  ) {
    this.#format = format;
    this.#queue = queue;
    this.#file = parse(this.#queue);
  }

  /** @returns the parts that are complete with this chunk, cut anywhere */
  push(chunk: BytesLike): Iterable<Part> {
    this.#queue.push(chunk);
    return this.#queue.length < this.#enough ? NOTHING : this.#parts(false);
  }

  /** @throws TruncatedError when the file is not complete, FormatError when it is of another kind */
  *flush(): Iterable<Part> {
    yield* this.#parts(true);
    if (this.#demand === undefined) return;
    // A file shorter than the header may be another one.
    if (this.#queue.position === 0) assertKind(this.#queue.peek(PROBE_SIZE), this.#format);
    throw new TruncatedError(
      `Cannot read the ${this.#format} file: it ends within its ${this.#demand.section}`,
      {
        offset: this.#queue.position + this.#queue.length,
      },
    );
  }

  *#parts(ended: boolean): Iterable<Part> {
    while (this.#demand !== undefined) {
      if (this.#queue.length < (ended ? this.#demand.least : this.#demand.length)) return;
      const { done, value } = this.#file.next();
      const isDemand = value instanceof Demand;
      if (done) this.#demand = undefined;
      else this.#demand = isDemand ? value : NO_DEMAND;
      this.#enough = this.#demand?.length ?? 0;
      if (!done && !isDemand) yield value;
    }
    this.#queue.skip(this.#queue.length);
  }
}
