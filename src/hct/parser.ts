import { GrammarStage } from '../bytes/grammar.js';
import type { HctLimits } from './constants.js';
import { parseHctFile } from './grammar.js';
import type { HctPart } from './parts.js';

/**
 * The bytes of an HCT file of either version, cut anywhere, in; its parts out, each as soon as its last byte is there.
 *
 * @example
 * import { readFile } from 'node:fs/promises';
 *
 * const bytes = await readFile('fc1.weight.hct');
 * for (const part of new HctParser().push(bytes)) console.log(part.kind);
 */
export class HctParser extends GrammarStage<HctPart> {
  constructor(limits: HctLimits = {}) {
    super('HCT', (queue) => parseHctFile(queue, limits));
  }
}
