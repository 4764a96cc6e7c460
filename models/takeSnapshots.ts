import { type Improvement, type Improving, improvements, readAll } from './improvements.js';
import type { LoadedTensor, OutputType } from './output.js';
import type { ModelSnapshot, SnapshotOptions } from './snapshots.js';

/** {@link improvements} of all tensors, each time as arrays of their own. Loaded on demand: most pages wait for a load. */
export function takeSnapshots<A extends OutputType>(
  improving: Improving,
  { as, ...pace }: SnapshotOptions<A>,
): AsyncGenerator<ModelSnapshot<A>, void, undefined> {
  return improvements<ModelSnapshot<A>>(improving, pace, async () => {
    const tensors = new Map<string, LoadedTensor<A>>();
    const taken: Improvement = await readAll(improving.states, async (state) => {
      const tensor = await state.read<A>({ as, signal: pace.signal });
      if (tensor !== undefined) tensors.set(state.tensor.name, tensor);
      return tensor;
    });
    return { tensors, ...taken };
  });
}
