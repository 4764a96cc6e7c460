import { openSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Job, Stage } from './stage.js';

/** A file that the server has for {@link PLANTED}. */
export const PLANTED_FILE = 'planted';

/** Faults that a soak must find, to test it: each leaves something at every round. */
export const PLANTED: Readonly<Record<string, (stage: Stage) => unknown>> = {
  result: () => {
    throw new TypeError('planted');
  },
  end: () => new Promise(() => {}),
  rejection: () => void Promise.reject(new Error('planted')),
  warning: () => {
    // Node 24 warns of other targets only, no more of signals.
    const target = new EventTarget();
    for (let i = 0; i < 20; i++) target.addEventListener('event', () => {});
  },
  timer: () => void setInterval(() => {}, 1_000_000),
  connection: ({ server }) => request(`${server.urlOf('silent', 0)}${PLANTED_FILE}`).end(),
  file: () => openSync(process.execPath, 'r'),
  // Pools may keep four.
  threads: () => {
    for (let i = 0; i < 5; i++) new Worker('setInterval(() => {}, 1000)', { eval: true }).unref();
  },
  leftover: ({ folder }) => writeFileSync(join(folder, `${Math.random()}.partial`), ''),
  heap: () => kept.push(Array.from({ length: 50_000 }, (_, i) => ({ i }))),
  buffers: () => kept.push(new ArrayBuffer(2 ** 22)),
  // Messages that nobody reads are counted as nothing of JavaScript's.
  native: () => channel.port1.postMessage(new Uint8Array(2 ** 24).fill(1)),
  dies: () => process.kill(process.pid, 'SIGKILL'),
};

const kept: unknown[] = [];
const channel = new MessageChannel();

export function plantedJob(name: string, stage: Stage): Job {
  return {
    name: `planted ${name}`,
    async run() {
      await PLANTED[name]!(stage);
      return 'exact';
    },
  };
}
