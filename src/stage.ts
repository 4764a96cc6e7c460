/** What a stage gives for one call: pulled one by one, so that a stage never works further ahead than it is asked. */
export type Outputs<O> = Iterable<O> | AsyncIterable<O>;

/**
 * A stage is an incremental state machine: values go in, values come out. It knows neither streams nor RxJS;
 * `StageStream` and `stageOperator` (in `operators/`) give it those faces. A stage that throws is finished.
 */
export interface Stage<I, O> {
  /** True when it needs no further input, before that has ended: its last output is the end. */
  readonly done?: boolean;
  /** Takes one value. The outputs are drained before the next call; an early `return()` means cancelled. */
  push(input: I): Outputs<O>;
  /** The input has ended: gives what is left, or throws when the end came too early. */
  flush(): Outputs<O>;
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

/**
 * A stage whose outputs replace one another: each is its whole state. It takes input at any time, and makes an output
 * when one is due and the consumer asks. It has no clock: its driver passes the time.
 */
export interface LatestStage<I, O> {
  /** True when the last output is no longer the whole state. */
  readonly changed: boolean;
  add(input: I): void | Promise<void>;
  /** Milliseconds until the next output is due; 0 now, infinity when more input must come first. */
  delay(now: number): number;
  /** The output of the state as it is. Only after at least one input; one call at a time. */
  take(now: number): O | Promise<O>;
  /** As {@link Stage.close}. */
  close?(): void;
}

/** Makes a fresh stage of this kind when the first input has come, which says what the stage needs. */
export type LatestStageFactory<I, O> = (first: I) => LatestStage<I, O> | Promise<LatestStage<I, O>>;
