import { writeSync } from 'node:fs';
import { ArgumentError, FormatError } from '../../src/errors.js';
import type { Arena } from './arena.js';
import { type Seed, type Target, WHOLE } from './target.js';

/** Targets with faults, to test the fuzzer: each reads an input that begins with 0 as it should, and another one not. */

interface Planted extends Partial<Target> {
  /** Of inputs that do not begin with 0. */
  readonly read: (input: Uint8Array, arena: Arena) => unknown;
}

const SEEDS: readonly Seed[] = [{ name: 'good', bytes: Uint8Array.of(0, 1, 2), sealed: false }];

let stuck = false;

const PLANTED: Readonly<Record<string, Planted>> = {
  sound: {
    read: () => {
      throw new FormatError('Cannot read the input: it does not begin with 0');
    },
  },
  throws: {
    read: () => {
      throw new TypeError('planted');
    },
  },
  argument: {
    read: () => {
      throw new ArgumentError('Cannot read the input: it does not begin with 0');
    },
  },
  message: {
    read: () => {
      throw new FormatError('Cannot read \u001b[31m');
    },
  },
  writes: {
    read: (_, arena) => {
      const out = arena.bytes(8);
      new Uint8Array(out.buffer)[out.byteOffset + 8] = 0;
    },
  },
  changes: {
    read: (input) => {
      input[1] = 77;
    },
  },
  allocates: { read: () => new Float32Array(2 ** 12), memory: () => 2 ** 13 },
  slow: {
    read: () => {
      const start = process.cpuUsage();
      while (process.cpuUsage(start).user < 100_000);
    },
    seconds: 0.05,
  },
  // Reads no input after the first bad one.
  sticks: {
    read: () => {
      stuck = true;
      throw new FormatError('Cannot read the input: it does not begin with 0');
    },
  },
  // Takes any input for another one.
  unsealed: { read: () => {} },
  hangs: {
    read: () => {
      // As if it went on for ever, but for the time that it takes from other tests.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  },
  dies: {
    read: () => {
      writeSync(2, 'Error: planted\n');
      process.kill(process.pid, 'SIGKILL');
    },
  },
};

/** As in `targets/index.ts`. */
export async function targetsNamed(name: string | undefined): Promise<Target[]> {
  const names = name?.split(',') ?? Object.keys(PLANTED);
  return names.map((one) => plantedTarget(one));
}

export function plantedTarget(name: string): Target {
  const { read, ...rest } = PLANTED[name]!;
  const good = (input: Uint8Array) => ({ content: new Uint8Array(input) });
  return {
    name,
    seeds: SEEDS,
    anatomy: WHOLE,
    ways: [
      {
        name: 'planted',
        read(input, arena) {
          if (name === 'sticks' && stuck) throw new FormatError('Cannot read the input: stuck');
          if (input[0] !== 0) read(input, arena);
          return good(input);
        },
      },
    ],
    memory: () => 2 ** 20,
    ...rest,
  };
}

/** Two ways of which one reads what the other does not. */
export const DISAGREEING: Target = {
  ...plantedTarget('sound'),
  name: 'disagreeing',
  ways: [...plantedTarget('sound').ways, { name: 'other', read: () => ({}) }],
};
