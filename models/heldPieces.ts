import { MIN_WORKER_BYTES } from '../workers/task.js';
import type { HeldPiece, LoadableTensor } from './inputs/content.js';

/** Of more pieces, each is decoded when it comes: together they would take long. */
const MOST_HELD = 64;

/**
 * Whether pieces of a tensor are held until all have come, or numbers are asked for: together, those of a small one take a fraction of
 * the time. Larger ones are decoded as their pieces come: by workers, and because a part of them is long work.
 */
export function mayHold({ byteLength, pieces }: LoadableTensor): boolean {
  return byteLength < MIN_WORKER_BYTES.reconstruction && pieces.length <= MOST_HELD;
}

/** The first pieces up to the first gap. */
export function withoutGap(pieces: ReadonlyMap<number, HeldPiece>): HeldPiece[] {
  const first: HeldPiece[] = [];
  for (let piece = pieces.get(0); piece !== undefined; piece = pieces.get(first.length)) first.push(piece);
  return first;
}
