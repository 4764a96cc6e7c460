/**
 * The process that fuzzes. `supervisor.ts` starts and watches it: an input may make it hang, or end.
 *
 * Nothing of the product is imported before allocations and coverage are counted.
 */
import { ftruncateSync, openSync, writeSync } from 'node:fs';
import { countAllocations } from './allocations.js';
import { readCorpus, writeCorpus } from './corpus.js';
import { BlockCoverage } from './coverage.js';
import type { Finding } from './findings.js';
import type { FuzzStats } from './fuzzer.js';

export interface ProcessOptions {
  readonly root: string;
  readonly seconds: number;
  readonly seed: number;
  /** The module of the targets, beside this one. */
  readonly targets: string;
  readonly target: string | undefined;
  readonly updateCorpus: boolean;
  /** Holds the input that is being read, in the form of {@link packAttempt}. */
  readonly attemptFile: string;
}

export type Message =
  | { readonly kind: 'stats'; readonly stats: FuzzStats }
  | { readonly kind: 'alive' }
  | { readonly kind: 'found'; readonly finding: Finding; readonly fault: string }
  | { readonly kind: 'failed'; readonly message: string };

/** Time for one target before the next one has its turn. */
const TURN_MS = 100;

/** An input, its target and its seed, in bytes that can be written over longer ones. */
export function packAttempt({ target, seed = '', input }: Finding): Uint8Array {
  const name = Buffer.from(`${target} ${seed}`);
  const bytes = Buffer.alloc(8 + name.length + input.length);
  bytes.writeUInt32LE(name.length, 0);
  bytes.writeUInt32LE(input.length, 4);
  bytes.set(name, 8);
  bytes.set(input, 8 + name.length);
  return bytes;
}

export function unpackAttempt(bytes: Buffer): Finding {
  const inputStart = 8 + bytes.readUInt32LE(0);
  const [target = '', seed = ''] = bytes.toString('utf8', 8, inputStart).split(' ');
  const input = new Uint8Array(bytes.subarray(inputStart, inputStart + bytes.readUInt32LE(4)));
  return { target, seed: seed === '' ? undefined : seed, input };
}

async function run(options: ProcessOptions, send: (message: Message) => void): Promise<void> {
  const deadline = performance.now() + 1000 * options.seconds;
  countAllocations();
  const coverage = new BlockCoverage(options.root);
  const { Fuzzer } = await import('./fuzzer.js');
  const { targetsNamed } = (await import(options.targets)) as typeof import('./targets/index.js');
  const file = openSync(options.attemptFile, 'w');
  const fuzzer = new Fuzzer(await targetsNamed(options.target), options.seed, coverage, {
    mutating: () => ftruncateSync(file),
    before: (target, { input, damaged }) => {
      writeSync(file, packAttempt({ target: target.name, seed: damaged?.name, input }), 0, undefined, 0);
    },
    found: (target, { input, damaged }, fault) => {
      send({ kind: 'found', finding: { target: target.name, seed: damaged?.name, input }, fault });
    },
  });
  await fuzzer.begin(readCorpus);
  send({ kind: 'stats', stats: fuzzer.stats });
  do {
    await fuzzer.round(TURN_MS);
    send({ kind: 'stats', stats: fuzzer.stats });
  } while (performance.now() < deadline);
  if (!options.updateCorpus) return;
  for (const { name } of fuzzer.stats.targets) {
    writeCorpus(name, await fuzzer.reduced(name));
    send({ kind: 'alive' });
  }
}

/** Of errors that are not ours, with the place. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.startsWith('Cannot ') ? error.message : (error.stack ?? error.message);
}

if (process.send !== undefined) {
  const send = (message: Message) => process.send!(message);
  // At the end, or when the process that watches this one has died.
  process.once('disconnect', () => process.exit());
  process.once('message', (options: ProcessOptions) => {
    run(options, send)
      .catch((error: unknown) => send({ kind: 'failed', message: textOf(error) }))
      .finally(() => process.disconnect());
  });
}
