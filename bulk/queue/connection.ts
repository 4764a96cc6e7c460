/// <reference path="../peers.d.ts" />
import { check, text } from '../../src/checks/options.js';
import { UnsupportedError } from '../../src/errors.js';
import type { RedisOption } from './jobs.js';

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

export function connectionOf({ redis }: RedisOption) {
  const url = redis ?? process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
  check('redis', url, text);
  // Workers wait for a Redis that restarts.
  return { url, maxRetriesPerRequest: null };
}

/** What is heard of a connection that breaks is no failure: the client connects again. */
export const ignored = (): void => {};
