import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Ports below it are for services of the system. */
const FIRST = 15_000;
const MAX_TRIES = 100;

/**
 * A local port that is free, for a program that cannot say which one it took, or that must come back to it. It is none of those
 * that the system gives to connections and to servers that take any: one of these would soon belong to another process.
 */
export async function freePort(): Promise<number> {
  const last = firstOfSystem();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * (last - FIRST));
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error(`no port from ${FIRST} to ${last} is free`);
}

/** On Linux, it says so; others begin higher. */
function firstOfSystem(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0]);
  } catch {
    return 32_768;
  }
}
