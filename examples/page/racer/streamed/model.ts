import {
  type Model,
  type ModelProgress,
  type OpenModelOptions,
  openModel,
  type RandomAccessSource,
} from 'holostream';
import type { FragmentMark } from '../protocol.js';
import type { Streamed, Watcher } from './streamed.js';

/** Least time between two states, in ms. */
const STATE_MS = 60;
/** What one more state must add to the quality while the bytes are here already. */
const GAIN = 0.002;

/**
 * A model: its fragments come in the order of their worth.
 * @param input its file, or the URL of its folder
 */
export async function streamedModel(
  input: RandomAccessSource | string,
  options: OpenModelOptions = {},
): Promise<Streamed> {
  const model = await openModel(input, options);
  const fileSize = (typeof input === 'string' ? undefined : input.size) ?? model.plannedBytes();
  /** Bytes of the file up to the end of the last fragment that was decoded. */
  const position = () => fileSize - model.plannedBytes();
  return {
    fileSize,
    weightBytes: model.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
    tensors: model.tensors.map(({ name, shape, byteLength }) => ({ name, shape, byteLength })),
    measure: 'cosine',
    exact: true,
    async run(watcher) {
      using _ = markFragments(model, watcher);
      await takeWhatIsHere(model, position, watcher);
      watcher.onBegun();
      // Together: where both are aborted, neither reason is left without somebody who hears it.
      await Promise.all([watch(model, position, watcher), model.load({ signal: watcher.signal })]);
    },
    pause: () => model.pause(),
    resume: () => model.resume(),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

/** The first request brings more than the header: the fragments in it, one at a time. */
async function takeWhatIsHere(
  model: Model,
  position: () => number,
  { signal, received, onState }: Watcher,
): Promise<void> {
  for (;;) {
    const quality = model.quality + GAIN;
    if (quality >= 1) return;
    const next = model.plannedBytes({ quality });
    if (next === 0 || position() + next > received()) return;
    const tensors = await model.load({ quality, signal });
    if (tensors.size === model.tensors.length)
      onState({ tensors, quality: model.quality, bytes: position(), complete: false });
  }
}

async function watch(model: Model, position: () => number, { signal, onState }: Watcher): Promise<void> {
  const options = { minInterval: STATE_MS, minGain: 0, signal };
  for await (const { tensors, quality, complete } of model.snapshots(options))
    onState({ tensors, quality, bytes: position(), complete }, 1);
}

/** Tells which tensor each fragment has improved. */
function markFragments(model: Model, { onFragments }: Watcher): Disposable {
  const before = new Map<string, number>();
  const onProgress = ({ qualities }: ModelProgress) => {
    const marks: Omit<FragmentMark, 'time'>[] = [];
    for (const [tensor, quality] of qualities) {
      if (quality === (before.get(tensor) ?? 0)) continue;
      before.set(tensor, quality);
      marks.push({ tensor, quality });
    }
    if (marks.length > 0) onFragments(marks);
  };
  const subscription = model.progress$.subscribe(onProgress);
  return { [Symbol.dispose]: () => subscription.unsubscribe() };
}
