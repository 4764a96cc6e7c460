import {
  concat,
  concatMap,
  defer,
  finalize,
  from,
  type Observable,
  type OperatorFunction,
  of,
  shareReplay,
  tap,
} from 'rxjs';
import type { Stage, StageFactory } from '../src/stage.js';

/**
 * A {@link Stage} as an RxJS operator: the same work as `StageStream`, without its backpressure. The source is
 * subscribed at once; values that come before the stage has loaded, or while it works asynchronously, wait in order.
 */
export function stageOperator<I, O>(factory: StageFactory<I, O>): OperatorFunction<I, O> {
  return (source) =>
    defer(() => {
      let stage: Stage<I, O> | undefined;
      let ended = false;
      const ready = load(factory).pipe(
        tap((made) => {
          if (ended) made.close?.();
          else stage = made;
        }),
        shareReplay(1),
      );
      const step = (run: (stage: Stage<I, O>) => Iterable<O> | AsyncIterable<O>) =>
        ready.pipe(concatMap((made) => from(run(made))));
      return concat(
        source.pipe(concatMap((input) => step((made) => made.push(input)))),
        step((made) => made.flush()),
      ).pipe(
        finalize(() => {
          ended = true;
          stage?.close?.();
        }),
      );
    });
}

function load<I, O>(factory: StageFactory<I, O>): Observable<Stage<I, O>> {
  return defer(() => {
    const made = factory();
    return made instanceof Promise ? from(made) : of(made);
  });
}
