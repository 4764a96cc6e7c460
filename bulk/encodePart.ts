import type { AbortOptions } from '../src/checks/abortOptions.js';
import { encodeRange } from './divided/encodeRange.js';
import type { StoredPlan } from './divided/planNote.js';
import { planUnit } from './divided/planUnit.js';
import { encodeUnit } from './encodeUnit.js';
import type { UnitNote } from './notes.js';
import type { UnitContext } from './unitContext.js';
import type { UnitPart } from './units.js';

/** What has become of a unit, or of a range of one, which has no note of the unit. */
export interface PartResult {
  readonly note: UnitNote | undefined;
  readonly isNew: boolean;
}

/** What encodes parts of one model: units, and ranges of those that are divided. The plan of a tensor is made once. */
export function encodePart(
  context: UnitContext,
): (part: UnitPart, options: AbortOptions) => Promise<PartResult> {
  const plans = new Map<number, Promise<StoredPlan>>();
  return async ({ unit, range }, options) => {
    if (range === undefined) return encodeUnit(context, unit, options);
    const plan = plans.get(unit.number) ?? planUnit(context, unit, options);
    plans.set(unit.number, plan);
    // What has failed is tried again.
    plan.catch(() => plans.delete(unit.number));
    const { isNew } = await encodeRange(context, unit, range, await plan, options);
    return { note: undefined, isNew };
  };
}
