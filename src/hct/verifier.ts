import { ChecksumError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import type { SyncStage } from '../stage.js';
import type { HctBlock, HctPart } from './parts.js';

/** Hands the parts on and checks every block that has a checksum, before anything decodes it. */
export class HctVerifier implements SyncStage<HctPart, HctPart> {
  readonly #kernels: Pick<Kernels, 'xxh3'>;

  constructor(kernels: Pick<Kernels, 'xxh3'>) {
    this.#kernels = kernels;
  }

  /** @throws ChecksumError */
  *push(part: HctPart): Iterable<HctPart> {
    if (part.kind === 'block') verifyBlock(part, this.#kernels);
    yield part;
  }

  flush(): Iterable<HctPart> {
    return [];
  }
}

/**
 * @returns false when the file has no checksum for this block
 * @throws ChecksumError
 */
export function verifyBlock(
  block: Pick<HctBlock, 'blockIndex' | 'checksum' | 'compressed'>,
  kernels: Pick<Kernels, 'xxh3'>,
): boolean {
  const { blockIndex, checksum: expected, compressed } = block;
  if (expected === 0n) return false;
  const actual = kernels.xxh3(compressed);
  if (actual !== expected) throw new ChecksumError('HCT block: checksum', { blockIndex, expected, actual });
  return true;
}
