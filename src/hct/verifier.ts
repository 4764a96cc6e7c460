import type { Kernels } from '../kernels/kernels.js';
import type { SyncStage } from '../stage.js';
import { compareChecksum } from './blockErrors.js';
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
  if (block.checksum === 0n) return false;
  compareChecksum(block, kernels.xxh3(block.compressed));
  return true;
}
