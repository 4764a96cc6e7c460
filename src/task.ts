/** What a task gives back, and which of its buffers go to the other thread rather than being copied. */
export interface TaskResult<O> {
  readonly output: O;
  readonly transfer: ArrayBufferLike[];
}

/**
 * A piece of work for another thread: input and output pass through the structured clone algorithm, so they are plain
 * data. Long ones look at `signal` after letting messages in (`nextTask`). What the tasks of one session share, they
 * keep in `state`.
 */
export type Task<I, O, S = unknown> = (
  input: I,
  signal: AbortSignal,
  state: Partial<S>,
) => Promise<TaskResult<O>>;
