/** The outputs of one call, pulled one by one, so that a stage never works ahead of demand. */
export type Outputs<O> = Iterable<O> | AsyncIterable<O>;

/**
 * A stage is an incremental state machine: values go in, values come out. It knows neither streams nor RxJS;
 * `StageStream` and `stageOperator` (in `operators/`) give it those faces. A stage that throws is finished.
 */
export interface Stage<I, O> {
  /** True when it needs no further input although the input has not ended. */
  readonly done?: boolean;
  /**
   * Takes one value. All outputs are pulled before the next call; an early `return()` means that the stage is
   * cancelled.
   */
  push(input: I): Outputs<O>;
  /** The input has ended. Gives the remaining outputs, or throws when the end came too early. */
  flush(): Outputs<O>;
  /** Frees what the stage holds, after its end or before. The adapters call it exactly once. */
  close?(): void;
}

/** No outputs. Returning it in place of a generator makes small chunks cheap. */
export const NOTHING: readonly never[] = [];

/** A stage that never waits, so that other stages can be built on it. */
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
  /** No more input will come. */
  end?(): void;
  /** Milliseconds until the next output is due; 0 now, infinity when it needs more input first. */
  delay(now: number): number;
  /** The output of the state as it is. Only after at least one input; one call at a time. */
  take(now: number): O | Promise<O>;
  /** As {@link Stage.close}. */
  close?(): void;
}

/** Makes a fresh stage of this kind from the first input, which tells what the stage needs. */
export type LatestStageFactory<I, O> = (first: I) => LatestStage<I, O> | Promise<LatestStage<I, O>>;
