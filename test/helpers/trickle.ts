import type { ServerResponse } from 'node:http';
import { tick } from './streams.js';

/** Sends a file in pieces of 1000 bytes, each on its way before the next is written. */
export async function trickle(bytes: Uint8Array, response: ServerResponse): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += 1000) {
    response.write(bytes.subarray(at, at + 1000));
    await tick(1);
  }
  response.end();
}
