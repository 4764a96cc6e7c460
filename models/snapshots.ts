import { Observable } from 'rxjs';
import type { Rules } from '../src/checks/options.js';
import { type Improving, PACE_RULES } from './improvements.js';
import { OUTPUT_RULES, type OutputType } from './output.js';
import type { ModelSnapshot, SnapshotOptions } from './takeSnapshots.js';

export const SNAPSHOT_RULES: Rules<SnapshotOptions> = { ...PACE_RULES, as: OUTPUT_RULES.as };

/** All tensors as they improve, see `Model.snapshots`. */
export async function* snapshots<A extends OutputType>(
  improving: Improving,
  options: SnapshotOptions<A>,
): AsyncGenerator<ModelSnapshot<A>, void, undefined> {
  const { takeSnapshots } = await import('./takeSnapshots.js');
  yield* takeSnapshots(improving, options);
}

/** Each subscriber has an iteration of its own; unsubscribing ends it. */
export function observe<T>(iterate: (signal: AbortSignal) => AsyncIterable<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const stop = new AbortController();
    const run = async () => {
      for await (const value of iterate(stop.signal)) subscriber.next(value);
      subscriber.complete();
    };
    run().catch((error) => {
      if (!stop.signal.aborted) subscriber.error(error);
    });
    return () => stop.abort();
  });
}
