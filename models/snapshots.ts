import { Observable } from 'rxjs';
import type { Rules } from '../src/checks/options.js';
import { type Improving, PACE_RULES, type PaceOptions } from './improvements.js';
import { type LoadedTensor, OUTPUT_RULES, type OutputOptions, type OutputType } from './output.js';

/** All tensors of a model, each as it was when the snapshot was made. */
export interface ModelSnapshot<A extends OutputType = 'F32'> {
  /** By name, in the order of the model. Their arrays do not change any more. */
  readonly tensors: ReadonlyMap<string, LoadedTensor<A>>;
  /** True cosine similarity of these tensors with the whole model, see `Model.quality`. */
  readonly quality: number;
  /** Nothing is missing in any of them: it is the last snapshot. */
  readonly complete: boolean;
}

/** When snapshots of a model are taken, and as what its tensors are given out. */
export interface SnapshotOptions<A extends OutputType = OutputType>
  extends PaceOptions,
    Pick<OutputOptions<A>, 'as'> {}

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
