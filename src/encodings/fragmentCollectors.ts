import { oneStep, type Steps } from '../async/steps.js';
import { FormatError } from '../errors.js';

/** The fragments of a tensor that have been added. A fragment that arrives twice counts once. */
export class ReceivedFragments {
  count = 0;
  readonly #seen: Uint8Array;

  constructor(total: number) {
    this.#seen = new Uint8Array(total);
  }

  /** @throws FormatError when the tensor has no such fragment */
  has(index: number): boolean {
    const seen = this.#seen[index];
    if (seen !== undefined) return seen === 1;
    throw new FormatError('Cannot add the fragment: no such fragment', {
      expected: `0 to ${this.#seen.length - 1}`,
      actual: index,
    });
  }

  add(index: number): void {
    this.#seen[index] = 1;
    this.count += 1;
  }
}

/** Collects the fragments of one layout. */
interface FragmentStore {
  /**
   * Takes a fragment that has not been added before; may keep the payload.
   * @throws FormatError when it is malformed or belongs to another tensor; the store stays as it was
   */
  add(index: number, payload: Uint8Array): void;
  /** The same in steps, where it can take long. */
  adding?(index: number, payload: Uint8Array): Steps<void>;
}

/** The fragments of an encoding that has several layouts: the first fragment tells which it is, and all must agree. */
export class LayoutCollector<Layout extends string, Store extends FragmentStore> {
  readonly #what: string;
  readonly #layoutOf: (payload: Uint8Array) => Layout;
  readonly #create: (layout: Layout) => Store;
  readonly #received: ReceivedFragments;
  #layout: Layout | undefined;
  #store: Store | undefined;

  /** @param what name of what `layoutOf` returns, for errors */
  constructor(
    total: number,
    what: string,
    layoutOf: (payload: Uint8Array) => Layout,
    create: (layout: Layout) => Store,
  ) {
    this.#received = new ReceivedFragments(total);
    this.#what = what;
    this.#layoutOf = layoutOf;
    this.#create = create;
  }

  /** Undefined before the first fragment. */
  get store(): Store | undefined {
    return this.#store;
  }

  /** As `FragmentDecoder.adding`. */
  *adding(index: number, payload: Uint8Array): Steps<boolean> {
    if (this.#received.has(index)) return false;
    const layout = this.#layoutOf(payload);
    if (layout !== (this.#layout ?? layout)) {
      throw new FormatError(
        `Cannot add the fragment: its ${this.#what} differs from that of the fragments before`,
        {
          fragmentIndex: index,
          expected: this.#layout,
          actual: layout,
        },
      );
    }
    const store = this.#store ?? this.#create(layout);
    yield* store.adding?.(index, payload) ?? oneStep(() => store.add(index, payload));
    this.#layout = layout;
    this.#store = store;
    this.#received.add(index);
    return true;
  }
}
