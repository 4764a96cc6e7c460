// A worker that does what its input says, to see how the pool takes it.
import { parentPort, threadId } from 'node:worker_threads';

const cancelled = [];
const forgotten = [];
const answer = (reply, transfer) => parentPort.postMessage({ borrowed: [], ...reply }, transfer);

parentPort.on('message', ({ id, input, cancel, borrowed, session, forget }) => {
  if (cancel !== undefined) cancelled.push(cancel);
  else if (forget !== undefined) forgotten.push(forget);
  else if (input === 'thread') answer({ id, output: [threadId, session, [...forgotten]] });
  else if (input === 'throw') throw new RangeError('out of range');
  else if (input === 'exit') process.exit(7);
  else if (input === 'cancelled') answer({ id, output: cancelled });
  else if (input.wait !== undefined) setTimeout(() => answer({ id, output: id }), input.wait);
  else if (input.keep !== undefined)
    answer(
      { id, output: input.keep, borrowed },
      borrowed.filter((buffer) => buffer instanceof ArrayBuffer),
    );
  else answer({ id, output: input });
});
parentPort.postMessage('holostream worker 1');
