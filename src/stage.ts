/**
 * A stage is an incremental state machine: values go in, values come out. It knows neither streams nor RxJS;
 * `StageStream` and `stageOperator` (in `operators/`) give it those faces.
 *
 * Outputs are iterables that are pulled one by one, so that a stage which makes much out of little (a
 * decompressor) never works further ahead than its consumer asks. A stage that throws is finished.
 */
export interface Stage<I, O> {
  /** Takes one value. The outputs are drained before the next call; an early `return()` means cancelled. */
  push(input: I): Iterable<O> | AsyncIterable<O>;
  /** The input has ended: gives what is left, or throws when the end came too early. */
  flush(): Iterable<O> | AsyncIterable<O>;
  /** Ends the stage early or after its end: frees what it holds. Called exactly once by the adapters. */
  close?(): void;
}

/** What a stage gives that has nothing to give: without a generator, small chunks cost little. */
export const NOTHING: readonly never[] = [];

/** A stage that never waits: others can be built on it. */
export interface SyncStage<I, O> extends Stage<I, O> {
  push(input: I): Iterable<O>;
  flush(): Iterable<O>;
}

/** Makes a fresh stage for each stream or subscription; asynchronous where a codec must be loaded first. */
export type StageFactory<I, O> = () => Stage<I, O> | Promise<Stage<I, O>>;
