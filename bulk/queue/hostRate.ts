import { argumentPlace } from '../../sources/hub.js';
import type { BullMq } from './connection.js';

/**
 * A rate for each host of sources, over all workers: Redis has the moment when the host is free again, and every unit moves it by
 * the time that its bytes take.
 */
const KEY = 'holostream:host:';
const COMMAND = 'holostreamHostRate';

/** The moment of this unit's turn, in milliseconds; the key lives as long as it matters. */
const LUA = `
  local now, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
  local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
  redis.call('SET', KEYS[1], string.format('%.0f', free + cost), 'PX', math.ceil(free + cost - now) + 1000)
  return string.format('%.0f', free)`;

/**
 * Takes a place in the row of a host.
 * @returns how long to wait for it, in milliseconds
 */
export async function waitForHost(
  queue: InstanceType<BullMq['Queue']>,
  host: string,
  bytes: number,
  bytesPerSecond: number,
): Promise<number> {
  const client = await queue.client;
  client.defineCommand(COMMAND, { numberOfKeys: 1, lua: LUA });
  const now = Date.now();
  const turn = await client.runCommand(COMMAND, [
    KEY + host,
    now,
    Math.ceil((1000 * bytes) / bytesPerSecond),
  ]);
  return Number(turn) - now;
}

/** The host of a source; undefined for files. */
export function hostOf(source: string): string | undefined {
  const url = source.startsWith('hf:') ? argumentPlace(source).folder : source;
  return /^[a-z][a-z0-9+.-]+:\/\/([^/?#]+)/i.exec(url)?.[1]?.toLowerCase();
}
