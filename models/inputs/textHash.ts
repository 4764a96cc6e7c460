import { loadKernels } from '../../src/kernels/loadKernels.js';
import { formatHash } from '../file/plan.js';

/** A version that is safe in headers of HTTP: 16 hexadecimal digits, of texts that change when the bytes of a file do. */
export async function hashOfText(texts: readonly string[]): Promise<string> {
  // Models are loaded with these kernels anyway; the portable ones would be in all bundles.
  const { xxh3 } = await loadKernels(['xxh3']);
  return formatHash(xxh3(new TextEncoder().encode(JSON.stringify(texts))));
}
