import type { ByteQueue } from '../bytes/byteQueue.js';
import { Demand, type Grammar, GrammarStage } from '../bytes/grammar.js';
import type { HoloLimits } from './constants.js';
import { assertFragmentFits, type StoredFragment } from './fragment.js';
import { parseHoloTensorStart } from './layout.js';

/** The bytes of a HoloTensor file, cut anywhere, in; its fragments as stored out, each as soon as its last byte is there. */
export class HoloTensorParser extends GrammarStage<StoredFragment> {
  constructor(limits: HoloLimits = {}) {
    super('HoloTensor', (queue) => parseHoloTensorFile(queue, limits));
  }
}

function* parseHoloTensorFile(queue: ByteQueue, limits: HoloLimits): Grammar<void, StoredFragment> {
  const { header, entries } = yield* parseHoloTensorStart(queue);
  for (const { index, compressedSize } of entries) assertFragmentFits(index, compressedSize, limits);
  for (const entry of entries) {
    yield new Demand(`fragment ${entry.index}`, entry.compressedSize);
    yield { header, entry, stored: queue.take(entry.compressedSize)! };
  }
}
