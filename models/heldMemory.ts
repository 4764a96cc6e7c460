/** How good what memory of the caller's holds is. */
export interface Held {
  cosine: number;
  complete: boolean;
}

/** What a tensor has written into memory of the caller's, by buffer and place: it may come as another view each time. */
export class HeldMemory {
  readonly #held = new WeakMap<ArrayBufferLike, Map<number, Held>>();

  /** @returns the same object for each view of a place, so that what was given out before knows what overwrites it */
  hold({ buffer, byteOffset }: ArrayBufferView, now: Held): Held {
    let places = this.#held.get(buffer);
    if (places === undefined) {
      places = new Map();
      this.#held.set(buffer, places);
    }
    const held = Object.assign(places.get(byteOffset) ?? { ...now }, now);
    places.set(byteOffset, held);
    return held;
  }
}
