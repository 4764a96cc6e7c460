/// <reference path="../peers.d.ts" />
import { check, text } from '../../src/checks/options.js';
import { UnsupportedError } from '../../src/errors.js';
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
    return await import('bullmq');
  } catch (cause) {
    throw new UnsupportedError('Cannot use the queue: install the packages bullmq and ioredis', { cause });
  }
}

export type Connection = ReturnType<typeof connectionOf>;

export function connectionOf({ redis }: RedisOption) {
  const url = redis ?? process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
  check('redis', url, text);
  // Workers wait for a Redis that restarts.
  return { url, maxRetriesPerRequest: null };
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
