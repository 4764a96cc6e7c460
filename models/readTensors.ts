import { onAbort } from '../platform/abort.js';
import { nextTurn } from '../src/async/steps.js';
import { inOrder } from '../workers/inOrder.js';
import type { LoadOptions } from './load.js';
import { ENDED } from './loadQueue.js';
import type { LoadedTensor, OutputType } from './output.js';
import type { TensorState } from './tensorState.js';

/**
 * Reads tensors of a model in the order of the names; with workers, several at a time.
 * @param closing aborts when the model is closed: from then on, only what takes no work is given, because nobody waits for more
 */
export async function readTensors<A extends OutputType>(
  states: ReadonlyMap<string, TensorState>,
  options: LoadOptions<A>,
  closing: AbortSignal,
): Promise<ReadonlyMap<string, LoadedTensor<A>>> {
  const { workers = 0, tensors: names = [...states.keys()], signal } = options;
  const stop = new AbortController();
  const removers = [signal, closing].map((one) => one && onAbort(one, (reason) => stop.abort(reason)));
  const read = (name: string) => states.get(name)!.read({ ...options, signal: stop.signal });
  const limit = Math.max(1, typeof workers === 'number' ? workers : workers.size);
  const loaded = new Map<string, LoadedTensor<A> | undefined>();
  const add = (name: string) => loaded.set(name, states.get(name)!.readComplete(options));
  try {
    signal?.throwIfAborted();
    closing.throwIfAborted();
    // Of small tensors, promises would take more time than the rest of the load.
    for (const name of names) {
      add(name);
      const turn = nextTurn(stop.signal);
      if (turn !== undefined) await turn;
    }
    const others = names.filter((name) => loaded.get(name) === undefined);
    let at = 0;
    for await (const tensor of inOrder(others, limit, read, stop.signal)) {
      loaded.set(others[at]!, tensor);
      at += 1;
      await nextTurn(stop.signal);
    }
  } catch (error) {
    if (error !== ENDED) throw error;
    for (const name of names) if (loaded.get(name) === undefined) add(name);
  } finally {
    for (const remove of removers) remove?.();
  }
  for (const [name, tensor] of loaded) if (tensor === undefined) loaded.delete(name);
  return loaded as ReadonlyMap<string, LoadedTensor<A>>;
}
