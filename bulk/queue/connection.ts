/// <reference path="../peers.d.ts" />
import { systemReason } from '../../platform/systemError.js';
import { check, text } from '../../src/checks/options.js';
import { SourceError, UnsupportedError } from '../../src/errors.js';
import {
  JOINS,
  type JoinData,
  type JoinOutcome,
  type RedisOption,
  UNITS,
  type UnitData,
  type UnitOutcome,
} from './jobs.js';

/** How Redis is reached. */

export type BullMq = typeof import('bullmq');

/** @throws UnsupportedError */
export async function loadBullMq(): Promise<BullMq> {
  try {
    // bullmq leaves the choice of a client to programs, and without one it fails in ways that do not say so.
    await import('ioredis');
    return await import('bullmq');
  } catch (cause) {
    throw new UnsupportedError('Cannot use the queue: install the packages bullmq and ioredis', { cause });
  }
}

export interface Connection {
  readonly url: string;
  readonly maxRetriesPerRequest: null;
  readonly retryStrategy: (times: number) => number | null;
}

/** Milliseconds before Redis is tried for the second time; twice that before the third, and so on. */
const CONNECT_WAIT_MS = 200;
const MOST_CONNECT_WAIT_MS = 2000;

/** Connects again until it may not: for what waits for a Redis that restarts. */
export function lastingConnectionOf({ redis }: RedisOption, mayConnect: () => boolean): Connection {
  const url = redis ?? process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
  check('redis', url, text);
  const retryStrategy = (times: number) =>
    mayConnect() ? Math.min(CONNECT_WAIT_MS * times, MOST_CONNECT_WAIT_MS) : null;
  return { url, maxRetriesPerRequest: null, retryStrategy };
}

/** How often a command that does not wait for Redis connects. */
const CONNECTS = 5;

/** For what must not wait for a Redis that never comes, as workers do. */
export function briefConnectionOf(options: RedisOption): Connection {
  const connection = lastingConnectionOf(options, () => true);
  const { retryStrategy } = connection;
  return { ...connection, retryStrategy: (times) => (times < CONNECTS ? retryStrategy(times) : null) };
}

/** @throws SourceError, which is retryable, when Redis cannot be reached */
export async function reached(
  queue: { waitUntilReady(): Promise<unknown> },
  { url }: Connection,
): Promise<void> {
  await queue.waitUntilReady().catch((cause: unknown) => {
    throw unreachable(url, cause);
  });
}

export function unreachable(url: string, cause: unknown): SourceError {
  // The rest of the URL may have a password.
  const name = URL.canParse(url) ? new URL(url).host : url;
  return new SourceError(`Cannot reach Redis${systemReason(cause)}`, { name, retryable: true, cause });
}

/** What is heard of a connection that breaks is no failure: the client connects again. */
export const ignored = (): void => {};

export type JoinQueue = ReturnType<typeof openJoins>;

export function openJoins({ Queue }: BullMq, connection: Connection) {
  return new Queue<JoinData, JoinOutcome>(JOINS, { connection }).on('error', ignored);
}

export type UnitQueue = ReturnType<typeof openUnits>;

export function openUnits({ Queue }: BullMq, connection: Connection) {
  return new Queue<UnitData, UnitOutcome>(UNITS, { connection }).on('error', ignored);
}
