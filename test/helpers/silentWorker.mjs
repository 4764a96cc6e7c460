// A worker that is ready, and never answers: its tasks take for ever.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', () => {});
parentPort.postMessage('holostream worker 1');
