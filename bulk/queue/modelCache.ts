import type { EncodeTools } from '../../models/file/encodeTensor.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { SourceChangedError } from '../../src/errors.js';
import { tensorChoices, unitsOf } from '../models.js';
import { openBulkModel } from '../openModel.js';
import { openBulkStorage } from '../storage/openStorage.js';
import type { BulkStorage } from '../storage/storage.js';
import type { UnitContext } from '../unitContext.js';
import type { Unit } from '../units.js';
import type { JoinData } from './jobs.js';

/** A model that a worker has open. */
export interface WorkerModel extends UnitContext {
  readonly data: JoinData;
  readonly units: readonly Unit[];
}

interface Entry {
  readonly model: Promise<WorkerModel>;
  users: number;
}

/** Headers and files of models stay open while units of them come one after another. */
const MAX_IDLE = 4;

/** The models that a worker has jobs of. */
export class ModelCache {
  readonly #tools: EncodeTools;
  /** By the keys of their jobs. */
  readonly #models = new Map<string, Entry>();
  readonly #storages = new Map<string, Promise<BulkStorage>>();

  constructor(tools: EncodeTools) {
    this.#tools = tools;
  }

  /** Opens a model, unless it is open, for some work. */
  async use<T>(
    data: JoinData,
    { signal }: AbortOptions,
    work: (model: WorkerModel) => Promise<T>,
  ): Promise<T> {
    const { key } = data;
    const entry = this.#models.get(key) ?? { model: this.#open(data, { signal }), users: 0 };
    // The one that is used last is the last to be closed.
    this.#models.delete(key);
    this.#models.set(key, entry);
    entry.users++;
    try {
      return await work(await entry.model);
    } catch (error) {
      // Opened anew next time: a connection may have broken.
      if (this.#models.get(key) === entry) this.#models.delete(key);
      throw error;
    } finally {
      entry.users--;
      if (entry.users === 0 && this.#models.get(key) !== entry) await closed(entry);
      await this.#closeIdle(MAX_IDLE);
    }
  }

  async close(): Promise<void> {
    await this.#closeIdle(0);
  }

  async #closeIdle(kept: number): Promise<void> {
    const idle = [...this.#models].filter(([, { users }]) => users === 0);
    for (const [key, entry] of idle.slice(0, Math.max(0, idle.length - kept))) {
      this.#models.delete(key);
      await closed(entry);
    }
  }

  async #open(data: JoinData, options: AbortOptions): Promise<WorkerModel> {
    const storage = await this.#storage(data.to);
    const opened = await openBulkModel(data.model, data.options, options);
    if (opened.id !== data.id) {
      await opened[Symbol.asyncDispose]();
      const name = data.model.sources[0];
      throw new SourceChangedError(
        'Cannot encode the model: it has changed since it was added; add it again',
        {
          name,
        },
      );
    }
    const choices = tensorChoices(data.options);
    const units = unitsOf(opened, data.options);
    return { data, opened, choices, options: data.options, storage, tools: this.#tools, units };
  }

  async #storage(url: string): Promise<BulkStorage> {
    let storage = this.#storages.get(url);
    if (storage === undefined) {
      storage = openBulkStorage(url);
      this.#storages.set(url, storage);
      storage.catch(() => this.#storages.delete(url));
    }
    return storage;
  }
}

/** What has failed to open has nothing to close. */
async function closed({ model }: Entry): Promise<void> {
  await model.then(({ opened }) => opened[Symbol.asyncDispose]()).catch(() => {});
}
