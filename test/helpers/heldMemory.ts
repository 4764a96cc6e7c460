import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes of array buffers that something refers to: what tests before have left is no part of it. */
export function heldArrayBuffers(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
