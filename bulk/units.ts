import type { LocatedTensor, ModelSource } from '../models/file/sourceFiles.js';

/** What one job encodes: a tensor, or small tensors of one file that follow each other. */
export interface Unit {
  /** Among the units of the model, from 0. */
  readonly number: number;
  readonly tensors: readonly LocatedTensor[];
  readonly byteLength: number;
}

/**
 * Tensors up to this size together are one unit. Smaller units are more requests and jobs; larger ones are lost when a worker
 * dies, and wait for each other at the end.
 */
export const UNIT_BYTES = 2 ** 25;

export function planUnits({ tensors }: Pick<ModelSource, 'tensors'>): Unit[] {
  const units: Unit[] = [];
  let group: LocatedTensor[] = [];
  let byteLength = 0;
  const close = () => {
    if (group.length > 0) units.push({ number: units.length, tensors: group, byteLength });
    [group, byteLength] = [[], 0];
  };
  for (const tensor of tensors) {
    const last = group.at(-1);
    if (last !== undefined && (last.source !== tensor.source || byteLength + tensor.byteLength > UNIT_BYTES))
      close();
    group.push(tensor);
    byteLength += tensor.byteLength;
  }
  close();
  return units;
}

/** The units of shard `index` of `count`: every process that asks finds the same, and shards have about the same bytes. */
export function unitsOfShard(units: readonly Unit[], { index, count }: Shard): Unit[] {
  const loads = Array<number>(count).fill(0);
  const bySize = units.toSorted((a, b) => b.byteLength - a.byteLength || a.number - b.number);
  return bySize.filter(({ byteLength }) => {
    const least = loads.reduce((best, load, shard) => (load < loads[best]! ? shard : best), 0);
    // Every unit costs requests, too.
    loads[least]! += byteLength + REQUEST_BYTES;
    return least === index;
  });
}

const REQUEST_BYTES = 2 ** 16;

/** One of several processes that divide the work among them, counted from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}
