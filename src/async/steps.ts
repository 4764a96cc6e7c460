/**
 * Long work, in steps of some milliseconds. Between them it can be left, or wait while others work. Work that was left
 * can go on later.
 */
export type Steps<T> = Generator<void, T, void>;

/**
 * Work that lasts this long lets other tasks in, and with them aborts, input and timers. The step that is under way then may
 * take as long again, on a slow machine several times: together they stay below the 50 ms from which browsers call a task long.
 */
const TURN_MS = 8;

/**
 * When this thread last began a task of ours; the task that runs now began then or later. All work of the thread has one clock: with
 * one for each, several turns would follow one another in a task.
 */
let taskStart = -Infinity;

function isOver(): boolean {
  return performance.now() - taskStart >= TURN_MS;
}

/** All steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Work in one step. */
// biome-ignore lint/correctness/useYield: it has one step
export function* oneStep<T>(work: () => T): Steps<T> {
  return work();
}

/**
 * Steps until they are done, or other tasks have waited for a while; then the rest, in turn with those.
 * @throws the reason of `signal`, after which no further step is taken
 */
export function inTurns<T>(steps: Steps<T>, signal?: AbortSignal): T | Promise<T> {
  do {
    const { done, value } = steps.next();
    if (done) return value;
  } while (!isOver());
  return nextTask().then(() => {
    signal?.throwIfAborted();
    return inTurns(steps, signal);
  });
}

/**
 * Lets other tasks in from time to time: in a loop whose promises may all be settled already, such as one over the chunks of a
 * response, which engines give in one task as far as they have arrived.
 * @returns undefined where it is not yet time
 * @throws the reason of `signal`
 */
export function nextTurn(signal?: AbortSignal): Promise<void> | undefined {
  return isOver() ? nextTask().then(() => signal?.throwIfAborted()) : undefined;
}

/**
 * Resolves in a task of its own: after all promise reactions and stream steps that are ready now. Long work awaits it,
 * so that an abort or a cancelled stream takes effect before the next step.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    // Sooner than a timer, which browsers delay by 4 ms when timers are nested.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      taskStart = performance.now();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
