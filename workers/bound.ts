/** How much work may be under way at a time. One item always may. */
export interface Bound<T> {
  readonly items: number;
  /** What items weigh together, such as the bytes that they hold in memory. Default: no limit. */
  readonly weight?: { readonly most: number; readonly of: (item: T) => number } | undefined;
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
