import { checkOptions, having, type Rules } from './options.js';

/** The option of everything that waits. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined;
}

export const ABORT_RULES: Rules<AbortOptions> = {
  signal: /* @__PURE__ */ having<AbortSignal>('addEventListener', 'an AbortSignal'),
};

/** Checks the options of calls that have no others. */
export function checkAbort(options: AbortOptions): AbortOptions {
  return checkOptions<AbortOptions>(options, ABORT_RULES);
}
