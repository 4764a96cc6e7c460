/** A program that aborts a task whose worker never answers, and has nothing else to do then. */
import { WorkerPool } from '../../workers/pool.js';

const BUSY = `
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  parentPort.on('message', () => { for (;;); });
  parentPort.postMessage('holostream worker 1');
`;
const pool = new WorkerPool(1, { url: new URL(`data:text/javascript,${encodeURIComponent(BUSY)}`) });
const abort = new AbortController();
const task = pool.runPrepared('encodeFragments', () => ({ input: {} as never }), { signal: abort.signal });
setTimeout(() => abort.abort(new RangeError('enough')), 300);
await task.catch((error: unknown) => console.log(String(error)));
