/** `npm run demo:page`: encodes the digits model, bundles the page and serves both until it is interrupted. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveFolder } from '../demo/server.js';
import { buildPage } from './build.js';

/** A twentieth of a second at the slowest rate that the page offers: the eye sees such steps as motion. */
const CHUNK_SIZE = 250;

const folder = await mkdtemp(join(tmpdir(), 'holostream-page-'));
await buildPage(folder);
const server = await serveFolder(folder, CHUNK_SIZE);
console.log(`${server.url} (Ctrl-C ends it)`);
process.once('SIGINT', async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
