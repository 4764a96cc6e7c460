import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** What time is taken from. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

/** A connection of n bytes per second, which all responses share. */
export class Pace {
  readonly #rate: number;
  readonly #clock: Clock;
  #free = 0;

  constructor(rate: number, clock: Clock = { now: () => performance.now(), sleep }) {
    this.#rate = rate;
    this.#clock = clock;
  }

  stream(): Transform {
    // A twentieth of a second at a time: responses take turns, and the eye sees it as motion.
    const piece = Math.max(1, Math.floor(this.#rate / 20));
    const wait = (length: number) => this.#wait(length);
    return new Transform({
      async transform(chunk: Buffer, _, done) {
        for (let at = 0; at < chunk.length && !this.destroyed; at += piece) {
          const part = chunk.subarray(at, at + piece);
          await wait(part.length);
          this.push(part);
        }
        done();
      },
    });
  }

  async #wait(length: number): Promise<void> {
    const now = this.#clock.now();
    this.#free = Math.max(now, this.#free) + (1000 * length) / this.#rate;
    await this.#clock.sleep(this.#free - now);
  }
}
