import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { getHeapCodeStatistics } from 'node:v8';
import { Resources } from '../faults/helpers/resources.js';
import { tick, until } from '../helpers/streams.js';
import type { SoakServer } from './server.js';
import type { MemorySample } from './trend.js';

/** Folders in which Linux lists what a process has; elsewhere, this is not measured. */
const PROCESS = '/proc/self';
const THREADS = 'task';
const HANDLES = 'fd';

/** What a gauge says that should not be. */
export interface Reading {
  readonly check: 'handles' | 'connections' | 'files' | 'threads' | 'leftovers';
  readonly what: string;
}

/** Counts what jobs may leave behind, beside what was there when this was made. */
export class Gauges {
  readonly #server: SoakServer;
  readonly #folder: string;
  readonly #patienceMs: number;
  readonly #resources = new Resources();
  readonly #threads = countOf(THREADS);
  readonly #handles = openHandles();
  readonly #files: ReadonlySet<string>;

  /**
   * @param folder all that jobs write is in it; of its folder `cache`, entries may come and go
   * @param patienceMs time in which things may end
   */
  constructor(server: SoakServer, folder: string, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#server = server;
    this.#folder = folder;
    this.#files = new Set(filesOf(folder));
  }

  /**
   * What is left after it had time to end.
   * @param threads that pools may keep for their next task
   */
  async left(threads: number): Promise<Reading[]> {
    let [connections, active] = [0, 0];
    const settled = (condition: () => boolean | Promise<boolean>) => until(condition, this.#patienceMs);
    await settled(async () => {
      ({ connections, active } = await this.#server.look());
      return connections === 0;
    });
    const readings: Reading[] = [];
    const add = (check: Reading['check'], what: string) => readings.push({ check, what });
    if (connections > 0) add('connections', `${connections} connections, ${active} of them with a request`);
    const resources = await this.#resources.left(() => {}, this.#patienceMs);
    if (resources.length > 0) add('handles', resources.join(', '));
    const more = () => countOf(THREADS) - this.#threads - threads;
    await settled(() => more() <= 0);
    if (more() > 0) add('threads', `${more()} more than before`);
    // Threads have handles of their own: as long as there are any, only what jobs open counts.
    const handles = () =>
      difference(openHandles(), this.#handles).filter((name) => threads === 0 || isOwn(name));
    await settled(() => handles().length === 0);
    if (handles().length > 0) add('files', handles().join(', '));
    const leftovers = filesOf(this.#folder).filter((name) => !this.#files.has(name));
    if (leftovers.length > 0) add('leftovers', leftovers.join(', '));
    return readings;
  }
}

export async function measureMemory(): Promise<MemorySample> {
  if (globalThis.gc === undefined) throw new Error('Cannot measure memory: node runs without --expose-gc');
  // Finalizers run in tasks of their own, and free more.
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await tick(1);
  }
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  const code = getHeapCodeStatistics();
  const heap = heapUsed - code.code_and_metadata_size - code.bytecode_and_metadata_size;
  return { heap, external, arrayBuffers, rss };
}

function countOf(kind: string): number {
  return list(kind).length;
}

function list(kind: string): string[] {
  return process.platform === 'linux' ? readdirSync(join(PROCESS, kind)) : [];
}

/** What the handles of this process lead to; sockets and pipes without their numbers. */
function openHandles(): string[] {
  return list(HANDLES).flatMap((handle) => {
    try {
      return [readlinkSync(join(PROCESS, HANDLES, handle)).replace(/:\[\d+\]$/, '')];
    } catch {
      // The handle with which the folder was read.
      return [];
    }
  });
}

function isOwn(handle: string): boolean {
  return handle === 'socket' || handle.startsWith('/');
}

/** What `after` has more of than `before`. */
function difference(after: readonly string[], before: readonly string[]): string[] {
  const known = [...before];
  return after.filter((name) => {
    const at = known.indexOf(name);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}

/** Relative paths, without entries of the cache. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !/^cache.*\.cache$/.test(name),
  );
}
