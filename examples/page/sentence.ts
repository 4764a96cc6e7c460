import type { Lanes } from './race.js';
import { type Lane, lastStep, partOf } from './racer/lane.js';
import { percent, seconds } from './text.js';
import type { Running } from './views/controls.js';

/** What is happening, for those who do not see it, and as a caption for those who do. */
export function sentence({ holo, plain, own }: Lanes, running: Running): string {
  if (own.status !== 'waiting') return ownSentence(own);
  const failed = [holo, plain].find(({ status }) => status === 'failed');
  if (failed !== undefined) return failed.message;
  if (holo.status === 'cancelled') return 'Cancelled. What had arrived can still be used.';
  const step = lastStep(holo);
  if (running === 'paused') return `Paused at ${percent(partOf(holo, step?.bytes ?? 0))} of the bytes.`;
  if (holo.status === 'cut' || plain.status === 'cut')
    return 'The connection is down; the loads go on where they broke.';
  if (plain.right !== undefined && holo.right !== undefined) {
    const end = holo.status === 'done' ? ' Every bit is the original’s.' : '';
    return `holostream was right after ${seconds(holo.right.time)}, the plain file after ${seconds(plain.right.time)}.${end}`;
  }
  if (holo.right !== undefined) {
    const part = percent(partOf(holo, holo.right.received));
    return `holostream is right: ${seconds(holo.right.time)}, with ${part} of the bytes. The plain file still loads.`;
  }
  return running === 'running' ? 'Both load the same model over the same connection.' : 'Ready.';
}

/** The panel of the user's model says more. */
function ownSentence(own: Lane): string {
  switch (own.status) {
    case 'failed':
      return 'Your model cannot be loaded; its panel says why.';
    case 'cancelled':
      return 'Cancelled. What had arrived can still be used.';
    case 'paused':
      return `Your model is paused at ${percent(partOf(own, lastStep(own)?.bytes ?? 0))} of the bytes.`;
    case 'cut':
      return 'The connection is down; the load goes on where it broke.';
    case 'done':
      return 'Your model is complete.';
    default:
      return 'Your model loads.';
  }
}
