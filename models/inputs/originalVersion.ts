import { xxh3 } from '../../src/kernels/xxh3/checksum.js';
import { formatHash } from '../file/plan.js';

/** A version that is safe in headers of HTTP: 16 hexadecimal digits, of texts that change when the bytes of a file do. */
export function hashOfText(texts: readonly string[]): string {
  return formatHash(xxh3(new TextEncoder().encode(JSON.stringify(texts))));
}
