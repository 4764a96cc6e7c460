// The worker script of the sources, as the test runner has compiled it. Where it has not, loaders transpile it: those that a
// process was started with do not reach its threads.
import { pathToFileURL } from 'node:url';

// As in scripts/compilePrograms.ts.
const command = process.env.HOLOSTREAM_TEST_COMMAND;
if (command === undefined) (await import('tsx/esm/api')).register();
await import(
  command === undefined ? '../../workers/worker.ts' : new URL('worker.js', pathToFileURL(command)).href
);
