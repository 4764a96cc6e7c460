import { until } from '../../helpers/streams.js';

/** Handles, timers and requests that keep this process busy, beside those from before. */
export class Resources {
  readonly #before: ReadonlyMap<string, number>;

  constructor() {
    // Node makes these when they are first asked for, by the first worker or fetch: pipes that nothing leaves.
    for (const stream of [process.stdout, process.stderr]) stream.writableLength;
    this.#before = counted(process.getActiveResourcesInfo());
  }

  /**
   * What is left after it had time to end.
   * @param end called meanwhile: ends what may be kept, such as connections without a request
   */
  async left(end: () => void, patienceMs?: number): Promise<string[]> {
    let left: string[] = [];
    await until(() => {
      end();
      const before = new Map(this.#before);
      left = process.getActiveResourcesInfo().filter((kind) => {
        const known = before.get(kind) ?? 0;
        before.set(kind, known - 1);
        return known <= 0;
      });
      return left.length === 0;
    }, patienceMs);
    return left;
  }
}

function counted(kinds: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
