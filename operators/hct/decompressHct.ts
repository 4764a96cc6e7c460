import type { OperatorFunction } from 'rxjs';
import { HctDecompressor } from '../../src/hct/blockStages.js';
import type { HctDecodedPart, HctPart } from '../../src/hct/parts.js';
import type { ImplementationOptions } from '../../src/hct/tools.js';
import { stageOperator } from '../stageOperator.js';
import { StageStream } from '../stageStream.js';

/** Parts with compressed blocks in, parts with their bytes out; each block's bytes are an array of their own. */
export class HctDecompressionStream extends StageStream<HctPart, HctDecodedPart> {
  constructor(options?: ImplementationOptions) {
    super(() => new HctDecompressor(options));
  }
}

/**
 * Parts with compressed blocks in, parts with their bytes out; each block's bytes are an array of their own.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response.body!)
 *   .pipe(parseHct(), decompressHct())
 *   .subscribe((part) => {
 *     if (part.kind === 'data') console.log(part.byteOffset, part.bytes.length);
 *   });
 */
export function decompressHct(options?: ImplementationOptions): OperatorFunction<HctPart, HctDecodedPart> {
  return stageOperator(() => new HctDecompressor(options));
}
