// A worker that does what its input says, to see how the pool takes it.
import { parentPort } from 'node:worker_threads';

const cancelled = [];

parentPort.on('message', ({ id, input, cancel }) => {
  if (cancel !== undefined) cancelled.push(cancel);
  else if (input === 'throw') throw new RangeError('out of range');
  else if (input === 'exit') process.exit(7);
  else if (input === 'cancelled') parentPort.postMessage({ id, output: cancelled });
  else if (input.wait !== undefined) setTimeout(() => parentPort.postMessage({ id, output: id }), input.wait);
  else parentPort.postMessage({ id, output: input });
});
