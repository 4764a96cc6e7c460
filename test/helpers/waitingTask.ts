/** All places of the one worker are those of aborted tasks, and another task waits for one: the process must not end before. */
import type { Task } from '../../workers/task.js';
import { TaskPool } from '../../workers/taskPool.js';

const pool: TaskPool<{ readonly obey: Task<unknown, unknown, unknown> }> = new TaskPool(1, {
  url: new URL('./obedientWorker.mjs', import.meta.url),
});
await pool.run('obey', {});
const controller = new AbortController();
const aborted = Array.from({ length: pool.capacity }, () =>
  pool.run('obey', { wait: 300 }, { signal: controller.signal }),
);
controller.abort(new RangeError('enough'));
await Promise.allSettled(aborted);
console.log(await pool.run('obey', 'done'));
