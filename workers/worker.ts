/**
 * The script that runs in a worker of a browser or of Node. Tasks run one after the other, in the order in which they
 * arrive.
 *
 * @module
 */

import { encodeTileRange } from '../src/encodings/embedded/tileRange.js';
import { decodeBlockRun } from '../src/hct/tasks.js';
import { encodeFragments } from '../src/holotensor/encodeTask.js';
import { reconstructStep, reconstructStored } from '../src/holotensor/tasks.js';
import { unshared } from './buffers.js';
import { packError } from './packedError.js';
import { READY, type WorkerReply, type WorkerRequest, type WorkerTask } from './protocol.js';
import type { Task, TaskTable } from './task.js';

/** The tasks of workers. A new task is a function in `src/` and an entry here. */
const TASKS = {
  /** Decodes neighbouring blocks of an HCT file. */
  decodeBlockRun,
  /** Cuts a tensor into fragments. */
  encodeFragments,
  /** Encodes some tiles of a tensor that is divided. */
  encodeTileRange,
  /** Adds fragments to the decoder of its session, and gives out what they reconstruct to. */
  reconstructStep,
  /** Decodes stored fragments of one tensor. */
  reconstructStored,
} satisfies TaskTable;

export type Tasks = typeof TASKS;

type Post = (reply: WorkerReply | typeof READY, transfer: Transferable[]) => void;

/** Connects to the pool, in browsers and in Node. */
function connect(listen: (request: WorkerRequest) => void): Post {
  const nodePort = globalThis.process?.getBuiltinModule?.('node:worker_threads').parentPort;
  if (nodePort) {
    nodePort.on('message', listen);
    return (reply, transfer) => nodePort.postMessage(reply, transfer as ArrayBuffer[]);
  }
  globalThis.addEventListener('message', ({ data }) => listen(data));
  return (reply, transfer) => globalThis.postMessage(reply, { transfer });
}

const controllers = new Map<number, AbortController>();
/** The states of sessions, some of which have memory to free at their end. */
const states = new Map<number, { close?: () => void }>();
let last: Promise<void> = Promise.resolve();

const post = connect((request) => {
  if ('cancel' in request) {
    controllers.get(request.cancel)?.abort();
    return;
  }
  if ('forget' in request) {
    last = last.then(() => {
      states.get(request.forget)?.close?.();
      states.delete(request.forget);
    });
    return;
  }
  const controller = new AbortController();
  controllers.set(request.id, controller);
  last = last.then(() => run(request, controller.signal));
});

post(READY, []);

async function run({ id, task, input, borrowed, session }: WorkerTask, signal: AbortSignal) {
  try {
    signal.throwIfAborted();
    const work = (TASKS as TaskTable)[task] as Task<unknown, unknown, unknown>;
    const state = (session !== undefined && states.get(session)) || {};
    if (session !== undefined) states.set(session, state);
    const { output, transfer } = await work(input, signal, state);
    post({ id, output, borrowed }, unshared([...transfer, ...borrowed]));
  } catch (error) {
    post({ id, error: packError(error), borrowed }, unshared(borrowed));
  } finally {
    controllers.delete(id);
  }
}
