import type { WasmRuntime } from '../../runtime/runtime.js';
import type { GroupPlacing, SortedWeights } from '../interface.js';
import { groupChanges as portableGroupChanges } from '../portable/groupChanges.js';
import { GROUP } from '../tile.js';
import { encodeExports } from './encodeExports.js';
import { loadInto } from './memory.js';

/** As `assembly/groupChanges.ts` takes them. */
function fieldsOf({ perStep, step, inside, ofZero, least, leastScale }: GroupPlacing): number[] {
  return [perStep, step, inside, ofZero, least, leastScale];
}

export function groupChanges(
  runtime: WasmRuntime,
  weights: SortedWeights,
  scale: number,
  threshold: number,
  now: GroupPlacing,
  then: GroupPlacing,
): Float64Array {
  const { patterns, layout, scales, places } = weights;
  // NaNs and infinities are rare.
  if (places.length > 0) return portableGroupChanges(weights, scale, threshold, now, then);
  const { mantissaBits, exponentBits, bias, bytes } = layout;
  const out = runtime.allocate(16 * scales.length);
  encodeExports(runtime).groupChanges(
    loadInto(runtime, patterns),
    patterns.length,
    bytes === 2,
    mantissaBits,
    exponentBits,
    2 ** -(bias + mantissaBits + scale),
    loadInto(runtime, scales),
    threshold,
    loadInto(runtime, Float64Array.of(...fieldsOf(now), ...fieldsOf(then))),
    runtime.allocate(8 * GROUP),
    out,
  );
  return runtime.doubles(out, 2 * scales.length).slice();
}
