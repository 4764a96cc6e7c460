import type { OperatorFunction } from 'rxjs';
import { HctVerifier } from '../../src/hct/blockStages.js';
import type { HctPart } from '../../src/hct/parts.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { stageOperator } from '../stageOperator.js';
import { StageStream } from '../stageStream.js';

/** Hands the parts on; fails with a ChecksumError at the first block that differs from its checksum. */
export class HctVerificationStream extends StageStream<HctPart, HctPart> {
  constructor() {
    super(async () => new HctVerifier(await loadKernels()));
  }
}

/**
 * Hands the parts on; fails with a ChecksumError at the first block that differs from its checksum.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response.body!)
 *   .pipe(parseHct(), verifyHct(), decompressHct())
 *   .subscribe((part) => console.log(part.kind));
 */
export function verifyHct(): OperatorFunction<HctPart, HctPart> {
  return stageOperator(async () => new HctVerifier(await loadKernels()));
}
