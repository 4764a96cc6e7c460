/**
 * What waits in order, each value once. Taking the first and removing any of them are O(1): `shift()` of a long array
 * moves all the others, and a new iterator of a `Set` steps over all that have been deleted at its beginning.
 */
export class Queue<T> {
  readonly #values = new Set<T>();
  /** Continues behind the last value that was taken. */
  readonly #next = this.#values.values();

  get size(): number {
    return this.#values.size;
  }

  add(value: T): void {
    this.#values.add(value);
  }

  delete(value: T): void {
    this.#values.delete(value);
  }

  /** Removes and returns the first value; undefined when nothing waits. */
  take(): T | undefined {
    // An iterator that has come to the end never continues.
    if (this.size === 0) return undefined;
    const { value } = this.#next.next();
    this.#values.delete(value as T);
    return value;
  }

  /** Removes all, and returns them in order. */
  takeAll(): T[] {
    const all = [...this.#values];
    for (const value of all) this.#values.delete(value);
    return all;
  }
}
