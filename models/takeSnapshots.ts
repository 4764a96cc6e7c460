import { type Improvement, type Improving, improvements, type PaceOptions, readAll } from './improvements.js';
import type { LoadedTensor, OutputOptions, OutputType } from './output.js';

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
