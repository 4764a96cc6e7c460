// The worker script, in a thread that dies. The variable DEATH of the environment has the URL of the `script`; `at`, the
// number of a message; and `how`: `request`, when it comes; `reply`, in place of sending it; `throw`, by an error when it
// comes. Only one thread dies: the one that makes the file `once`.
import { closeSync, openSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

const { script, at, how, once } = JSON.parse(process.env.DEATH);
let requests = 0;
let replies = 0;

function isFirst() {
  try {
    closeSync(openSync(once, 'wx'));
    return true;
  } catch {
    return false;
  }
}

const send = parentPort.postMessage.bind(parentPort);
parentPort.postMessage = (...message) => {
  if (how === 'reply' && replies++ === at && isFirst()) process.exit(1);
  send(...message);
};
// Messages begin to come with the first listener: it must be the script's.
await import(script);
parentPort.on('message', () => {
  if (how === 'reply' || requests++ !== at || !isFirst()) return;
  if (how === 'throw') throw new RangeError('the thread has no more memory');
  process.exit(1);
});
