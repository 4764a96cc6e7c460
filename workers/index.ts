/** Threads, and what they are given. */

export type { Buffers } from './buffers.js';
export type { Prepared, RunOptions } from './job.js';
export * from './pool.js';
export type { WorkersOption } from './workers.js';
