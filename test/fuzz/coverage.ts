import { Session } from 'node:inspector';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LIBRARY_FOLDERS } from '../helpers/product.js';

interface FunctionCoverage {
  readonly ranges: readonly {
    readonly startOffset: number;
    readonly endOffset: number;
    readonly count: number;
  }[];
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly FunctionCoverage[];
}

/**
 * V8's block coverage of the product. Start it before the product is loaded: functions that are compiled already have no
 * counters.
 */
export class BlockCoverage {
  readonly #session = new Session();
  readonly #prefixes: readonly string[];
  /** For each script, 1 for each character of its code that has run. */
  readonly #covered = new Map<string, Uint8Array>();

  /** @param root folder of the repository */
  constructor(root: string) {
    this.#prefixes = LIBRARY_FOLDERS.map((folder) => pathToFileURL(join(root, folder, '/')).href);
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  }

  /**
   * How many characters of the code have run since the last call, and never before.
   * @param keep whether they count as known from now on
   */
  take(keep: boolean): number {
    const { result } = this.#post('Profiler.takePreciseCoverage') as { result: ScriptCoverage[] };
    let added = 0;
    for (const script of result) {
      if (this.#prefixes.some((prefix) => script.url.startsWith(prefix))) added += this.#add(script, keep);
    }
    return added;
  }

  /** Begins anew: all code counts as never run. */
  forget(): void {
    this.take(false);
    for (const marks of this.#covered.values()) marks.fill(0);
  }

  /** Characters of the code that have run, and all of the scripts that have been loaded. */
  get totals(): { readonly covered: number; readonly loaded: number } {
    let covered = 0;
    let loaded = 0;
    for (const marks of this.#covered.values()) {
      for (const mark of marks) covered += mark;
      loaded += marks.length;
    }
    return { covered, loaded };
  }

  #add({ url, functions }: ScriptCoverage, keep: boolean): number {
    const length = functions.reduce((most, { ranges }) => Math.max(most, ranges[0]?.endOffset ?? 0), 0);
    // Functions come before those inside them, and ranges before the ranges inside them: the last one counts.
    const now = new Uint8Array(length);
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      }
    }
    let seen = this.#covered.get(url) ?? new Uint8Array(0);
    if (seen.length < length) {
      const longer = new Uint8Array(length);
      longer.set(seen);
      seen = longer;
      this.#covered.set(url, seen);
    }
    let added = 0;
    for (let i = 0; i < length; i++) {
      if (now[i]! <= seen[i]!) continue;
      if (keep) seen[i] = 1;
      added += 1;
    }
    return added;
  }

  #post(method: string, params: object = {}): unknown {
    let outcome: { readonly error: Error | null; readonly result: unknown } | undefined;
    // Of its own thread, a session answers before `post` returns.
    this.#session.post(method, params, (error, result: unknown) => {
      outcome = { error, result };
    });
    if (outcome?.error) throw outcome.error;
    return outcome?.result;
  }
}
