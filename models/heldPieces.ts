import { MIN_WORKER_BYTES } from '../workers/task.js';
import type { HeldPiece, LoadableTensor } from './inputs/content.js';

/** Of more pieces, each is decoded when it comes: together they would take long. */
const MOST_HELD = 64;

/**
 * Whether pieces of a tensor are held until all have come, or numbers are asked for: together, those of a small one take a fraction of
 * the time. Larger ones are decoded as their pieces come: by workers, and because a part of them is long work. So are those of a file
 * that says of a small tensor that it has many bytes: what is held has not been verified.
 */
export function mayHold({ byteLength, pieces }: LoadableTensor): boolean {
  const most = MIN_WORKER_BYTES.reconstruction;
  if (byteLength >= most || pieces.length > MOST_HELD) return false;
  return pieces.reduce((sum, { length }) => sum + length, 0) < most;
}

/** How many pieces there are up to the first gap. */
export function countWithoutGap(pieces: ReadonlyMap<number, HeldPiece>): number {
  let count = 0;
  while (pieces.has(count)) count += 1;
  return count;
}
