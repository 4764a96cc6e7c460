import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { UnitContext, UnitResult } from '../unitContext.js';
import type { TileRangeOfUnit, Unit } from '../units.js';
import { encodeRange } from './encodeRange.js';
import { finishUnit } from './finishUnit.js';
import { planUnit } from './planUnit.js';

/** Encodes a tensor that is divided, as far as the storage does not have it: others may have encoded some of its ranges. */
export async function encodeDivided(
  context: UnitContext,
  unit: Unit,
  ranges: readonly TileRangeOfUnit[],
  { signal }: AbortOptions,
): Promise<UnitResult> {
  const plan = await planUnit(context, unit, { signal });
  const keys: string[] = [];
  let isNew = false;
  for (const range of ranges) {
    const result = await encodeRange(context, unit, range, plan, { signal });
    keys.push(result.key);
    isNew ||= result.isNew;
  }
  return { note: await finishUnit(context, unit, ranges, plan, keys, { signal }), isNew };
}
