/** How much work may be under way at a time. One item always may. */
export interface Bound<T> {
  readonly items: number;
  /** What items weigh together, such as the bytes that they hold in memory. Default: no limit. */
  readonly weight?: { readonly most: number; readonly of: (item: T) => number } | undefined;
}

/** Items that are smaller than this may be under way together, whatever the largest one. */
const MIN_BATCH_BYTES = 2 ** 24;

/**
 * As many items as keep the threads of a pool busy, and one more, which is read meanwhile. Together they are no larger than the
 * largest one for each thread.
 * @param sizes of all items, in bytes
 * @param of the size of one
 */
export function boundByBytes<T>(
  sizes: Iterable<number>,
  of: (item: T) => number,
  pool: { readonly size: number; readonly capacity: number } | undefined,
) {
  let largest = MIN_BATCH_BYTES;
  for (const size of sizes) largest = Math.max(largest, size);
  const { size = 0, capacity = 1 } = pool ?? {};
  return { items: capacity + 1, weight: { most: (size + 1) * largest, of } } satisfies Bound<T>;
}

/** Counts what is under way. */
export class WorkLoad<T> {
  readonly #bound: Bound<T>;
  #items = 0;
  #weight = 0;

  constructor(bound: number | Bound<T>) {
    this.#bound = typeof bound === 'number' ? { items: bound } : bound;
  }

  /** Whether another item may be pulled, whatever it weighs. */
  get hasPlace(): boolean {
    return this.#items < this.#bound.items;
  }

  /** Whether this one may begin. */
  fits(item: T): boolean {
    const { weight } = this.#bound;
    if (this.#items === 0 || weight === undefined) return true;
    return this.#weight + weight.of(item) <= weight.most;
  }

  begin(item: T): void {
    this.#items += 1;
    this.#weight += this.#bound.weight?.of(item) ?? 0;
  }

  end(item: T): void {
    this.#items -= 1;
    this.#weight -= this.#bound.weight?.of(item) ?? 0;
  }
}
