import { check, type Rule } from '../src/checks/options.js';

/** The longest delay of engines, which keep it in 32 bits: a timer for longer would fire at once. */
export const MAX_DELAY = 2 ** 31 - 1;

/**
 * Calls `work` once, after `ms` milliseconds; after `Infinity`, never.
 * @param keepAlive false: in Node, the timer does not keep the process alive
 * @param longest it is divided into steps of at most this, and of at most {@link MAX_DELAY}
 * @returns stops the timer
 * @throws ArgumentError for a delay that is not a number
 */
export function startTimer(ms: number, work: () => void, keepAlive = true, longest = MAX_DELAY): () => void {
  check('delay', ms, DELAY);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (left: number) => {
    const step = Math.min(left, longest, MAX_DELAY);
    timer = setTimeout(() => (left > step ? wait(left - step) : work()), step);
    // In Node, a timer is an object, which can let the process end.
    if (!keepAlive && typeof timer === 'object') timer.unref();
  };
  if (ms !== Infinity) wait(ms);
  return () => clearTimeout(timer);
}

/**
 * The same for limits of what others do. In two steps: after a long block of this thread, timers run before the events that came
 * meanwhile, which then have the second step to stop this.
 */
export function startWatchdog(ms: number, work: () => void, keepAlive?: boolean): () => void {
  return startTimer(ms, work, keepAlive, ms / 2);
}

/** Of delays that may be over already, and may never end. */
export const DELAY: Rule<number> = (ms) =>
  (typeof ms !== 'number' || Number.isNaN(ms)) && 'a number of milliseconds';
