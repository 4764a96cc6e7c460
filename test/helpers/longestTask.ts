import type { Browser } from 'playwright-core';
import type { Tab } from './engine.js';

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of the processor. */
  readonly tdur?: number;
}

/** What the page writes into the trace, on its main thread. */
const MARK = 'holostream-page';

/**
 * Milliseconds of the processor's time that the longest task on the main thread of a page took while work was done: unlike those of a
 * clock, others that use the processor add nothing to them. Only the page's own thread counts: Chromium has pages of its own, such as
 * that of its address bar, which it starts when a browser is new, with tasks of 80 to 180 ms.
 */
export async function longestTask(
  browser: Browser,
  page: Pick<Tab, 'evaluate'>,
  work: () => Promise<unknown>,
): Promise<number> {
  await browser.startTracing(undefined, { categories: ['toplevel', 'blink.user_timing'] });
  let trace: Buffer;
  try {
    await work();
    // Not before: the work may bring the page to another process.
    await page.evaluate(`void performance.mark('${MARK}')`);
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const mark = traceEvents.find(({ name }) => name === MARK);
  if (mark === undefined) throw new Error('the trace lacks the mark of the page');
  const tasks = traceEvents.filter(
    ({ name, pid, tid }) => name.endsWith('RunTask') && pid === mark.pid && tid === mark.tid,
  );
  if (tasks.length === 0) throw new Error('no task of the page has been traced');
  return tasks.reduce((longest, { tdur = 0 }) => Math.max(longest, tdur), 0) / 1000;
}
