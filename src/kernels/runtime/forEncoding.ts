import type { Kernels } from '../kernels.js';

/**
 * Kernels that only encoders need, of the same implementation as those that are there: the portable ones also where an
 * engine does not compile without waiting.
 */
export function forEncoding<K>(
  { implementation }: Pick<Kernels, 'implementation'>,
  portable: K,
  wasm: () => K,
): K {
  if (implementation === 'portable') return portable;
  try {
    return wasm();
  } catch {
    return portable;
  }
}
