/** `npm run demo:page`: encodes the digits model, bundles the page and serves both until it is interrupted. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveFolder } from '../demo/server.js';
import { buildPage } from './build.js';

/** The page slows its connection down itself. */
const CHUNK_SIZE = 65_536;

const folder = await mkdtemp(join(tmpdir(), 'holostream-page-'));
await buildPage(folder);
const server = await serveFolder(folder, CHUNK_SIZE);
console.log(`${server.url} (Ctrl-C ends it)`);
process.once('SIGINT', async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
