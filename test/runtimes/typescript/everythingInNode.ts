/** And what it adds in Node. */

import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HctDecoderStream, httpSource } from 'holostream';

export * as bulk from 'holostream/bulk';
export * as node from 'holostream/node';
export * from './everything.js';

/** Our streams in one of Node's, without a cast. */
export async function pipe(url: string, out: Writable): Promise<void> {
  await pipeline(Readable.from(httpSource(url).stream().pipeThrough(new HctDecoderStream())), out);
}
