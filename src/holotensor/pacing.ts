import { checkOptions, number, type Rule, type Rules } from '../checks/options.js';
import { QUALITY } from './quality.js';

/**
 * When a new reconstruction is due: after every fragment; only at the end; at most every `everyMs` milliseconds; or
 * when the quality (the cosine by `expectedCosine`) has risen by `qualityStep`.
 */
export type EmitPolicy = 'fragment' | 'end' | { readonly everyMs: number } | { readonly qualityStep: number };

interface Steps {
  readonly everyMs?: number;
  readonly qualityStep?: number;
}

const STEP_RULES: Rules<Steps> = {
  everyMs: /* @__PURE__ */ number(),
  qualityStep: QUALITY,
};

export const EMIT: Rule<EmitPolicy> = (emit) => {
  if (emit === 'fragment' || emit === 'end') return undefined;
  const steps = Object(emit) as Steps;
  if ((steps.everyMs ?? steps.qualityStep) === undefined)
    return 'fragment, end, { everyMs: number } or { qualityStep: number }';
  checkOptions(steps, STEP_RULES);
  return undefined;
};

/** Decides when a new reconstruction is due. */
export abstract class Pacing {
  /** True when fragments have been added since the last reconstruction. */
  changed = false;
  readonly #emit: EmitPolicy;
  #takenAt = Number.NEGATIVE_INFINITY;
  #takenQuality = Number.NEGATIVE_INFINITY;

  constructor(emit: EmitPolicy = 'fragment') {
    this.#emit = emit;
  }

  /** Milliseconds until the next reconstruction is due; 0 now, infinity when it needs more fragments first. */
  delay(now: number): number {
    const emit = this.#emit;
    if (!this.changed || emit === 'end') return Number.POSITIVE_INFINITY;
    if (emit === 'fragment') return 0;
    if ('everyMs' in emit) return Math.max(0, this.#takenAt + emit.everyMs - now);
    return this.expected >= this.#takenQuality + emit.qualityStep ? 0 : Number.POSITIVE_INFINITY;
  }

  /** Ends work that is running elsewhere. */
  close(): void {}

  /** The cosine that a reconstruction would have now. */
  protected abstract readonly expected: number;

  protected taken(now: number): void {
    this.changed = false;
    this.#takenAt = now;
    this.#takenQuality = this.expected;
  }
}
