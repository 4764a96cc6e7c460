import type { OperatorFunction } from 'rxjs';
import type { HctLimits } from '../../src/hct/constants.js';
import { HctParser } from '../../src/hct/parser.js';
import type { HctPart } from '../../src/hct/parts.js';
import { stageOperator } from '../stageOperator.js';
import { StageStream } from '../stageStream.js';

/** The bytes of an HCT file in; its header, compressed blocks and end out. */
export class HctParserStream extends StageStream<Uint8Array, HctPart> {
  constructor(limits?: HctLimits) {
    super(() => new HctParser(limits));
  }
}

/**
 * The bytes of an HCT file in; its header, compressed blocks and end out.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response.body!).pipe(parseHct()).subscribe((part) => console.log(part.kind));
 */
export function parseHct(limits?: HctLimits): OperatorFunction<Uint8Array, HctPart> {
  return stageOperator(() => new HctParser(limits));
}
