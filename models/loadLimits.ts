import { type AllLimits, Budget, checkTensorBytes, checkTotalBytes } from '../src/checks/limits.js';
import { type LoadableTensor, placeOfTensor } from './inputs/content.js';
import { loadedBytes, type OutputOptions } from './output.js';
import type { PlannedPiece } from './planning.js';
import type { ModelQuality } from './progress.js';
import type { TensorState } from './tensorState.js';

/** What a model holds before a load. */
export interface HeldTensors {
  readonly states: ReadonlyMap<string, TensorState>;
  readonly quality: ModelQuality;
  /** Bytes that earlier loads have fetched. */
  readonly fetched: number;
}

/**
 * Checks what a load would hold in memory, beside the tensors of earlier loads, before anything is fetched.
 * @returns bytes that it fetches
 * @throws LimitError for a tensor, or all together, beyond the limits; and if all fetched bytes do not pay for them
 */
export function checkLoad(
  pieces: readonly PlannedPiece[],
  { states, quality, fetched }: HeldTensors,
  { as }: OutputOptions,
  limits: AllLimits,
): number {
  const wanted = new Set<LoadableTensor>();
  let totalBytes = 0;
  let newBytes = 0;
  for (const { tensor, length } of pieces) {
    totalBytes += length;
    if (length > limits.tensorBytes) checkTensorBytes(limits, length, placeOfTensor(tensor));
    // Each tensor once: it can have many pieces.
    if (wanted.has(tensor)) continue;
    wanted.add(tensor);
    const bytes = loadedBytes(tensor, as);
    checkTensorBytes(limits, Math.max(tensor.byteLength, bytes - tensor.byteLength), placeOfTensor(tensor));
    if (states.get(tensor.name)?.cosine === 0) newBytes += bytes;
  }
  const held = quality.heldBytes(as) + newBytes;
  checkTotalBytes(limits, held);
  new Budget(limits, fetched + totalBytes).check({ bytes: held, steps: 0 });
  return totalBytes;
}
