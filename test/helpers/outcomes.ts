import * as assert from 'uvu/assert';

/** A test may fail by luck once in so many runs. */
const LUCK = 1e-12;

/** How many random inputs were accepted, and how many refused. A property that sees only one of them says half. */
export class Outcomes {
  #accepted = 0;
  #refused = 0;

  add(accepted: boolean): void {
    if (accepted) this.#accepted += 1;
    else this.#refused += 1;
  }

  /**
   * Asserts that both have been seen, and that this is not left to luck.
   * @param share at least this share of all possible inputs is accepted, and as many are refused: measured, rounded down
   */
  assertBoth(share: number): void {
    const inputs = this.#accepted + this.#refused;
    const missing = 2 * (1 - share) ** inputs;
    assert.ok(
      missing < LUCK,
      `${inputs} inputs are too few: one outcome is missing with a chance of ${missing}`,
    );
    const counts = `${this.#accepted} accepted, ${this.#refused} refused`;
    assert.ok(this.#accepted > 0 && this.#refused > 0, counts);
  }
}
