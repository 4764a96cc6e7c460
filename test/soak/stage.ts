import type { Cache } from '../../sources/cache/contract.js';
import type { WorkerPool } from '../../workers/pool.js';
import type { StoredModel } from './models.js';
import type { SoakServer } from './server.js';

/** What all jobs share. */
export interface Stage {
  readonly models: readonly StoredModel[];
  /** The files of the models by path: the server has them, and {@link folder}. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly folder: string;
  readonly server: SoakServer;
  /** On disk, smaller than the models. */
  readonly cache: Cache;
  readonly pool: WorkerPool;
}

/** Something that a user of the library does. All that is chosen is chosen by its seed, before it runs. */
export interface Job {
  /** With all that was chosen, for people. */
  readonly name: string;
  /** @throws what is wrong; what may fail is part of the outcome */
  run(): Promise<Outcome>;
}

/** How a job ended: with what it wanted, with the reason of its own abort, or with the name of an expected error. */
export type Outcome = 'exact' | 'partial' | 'aborted' | (string & {});
