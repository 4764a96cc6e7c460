import { ABORT_RULES, type AbortOptions } from '../../src/checks/abortOptions.js';
import { check, checkOptions, number, type Rules, text, wholeNumber } from '../../src/checks/options.js';
import { checkBeside } from '../besideFiles.js';
import { checkModels } from '../convert.js';
import { findJoined } from '../joinModel.js';
import { type BulkEncodeOptions, type BulkModel, ENCODE_RULES, unitsOf } from '../models.js';
import { openBulkModel } from '../openModel.js';
import { sha256 } from '../sha256.js';
import { openBulkStorage } from '../storage/openStorage.js';
import type { BulkStorage } from '../storage/storage.js';
import { partsOf } from '../units.js';
import {
  type BullMq,
  briefConnectionOf,
  ignored,
  type JoinQueue,
  loadBullMq,
  openJoins,
  reached,
} from './connection.js';
import {
  JOINS,
  type JoinData,
  optionsOfUnit,
  REDIS_RULES,
  type RedisOption,
  UNITS,
  type UnitData,
} from './jobs.js';

export interface AddOptions extends BulkEncodeOptions, RedisOption, AbortOptions {
  /** 1 to 2097151, the lowest first. Default: before all that have one. */
  readonly priority?: number | undefined;
  /** How often a unit or a join is tried. Default 8. */
  readonly attempts?: number | undefined;
  /** Bytes a second that all workers together read from one host of sources. Default: no limit. */
  readonly hostRate?: number | undefined;
}

/** The result for one model that was added. */
export interface AddedModel {
  readonly output: string;
  /** 'queued', or 'waiting' when it was queued before, or 'done' when the storage has it. */
  readonly state: 'queued' | 'waiting' | 'done' | 'failed';
  readonly units: number;
  readonly bytes: number;
  /** Why it could not be added: it stops no other. */
  readonly error?: unknown;
}

const RULES: Rules<AddOptions> = {
  ...ENCODE_RULES,
  ...ABORT_RULES,
  ...REDIS_RULES,
  priority: wholeNumber(1, 2 ** 21 - 1),
  attempts: wholeNumber(1),
  hostRate: number(1),
};

const ATTEMPTS = 8;
/** Doubled with each try, and drawn by chance from half of it on. */
const BACKOFF = { type: 'exponential', delay: 1000, jitter: 0.5 } as const;

/** Models that are complete are shown for a week. */
const KEPT = { age: 7 * 86_400, count: 100_000 };

/**
 * Puts models into the queue: a job for each unit, and one that joins them. Workers must be able to open the sources and the
 * storage by the same names. A model that is queued already is not queued twice.
 *
 * @example
 * const models = [{ sources: ['https://example.org/model.safetensors'], output: 'model.holo.safetensors' }];
 * await addModels(models, 's3://models/converted', { redis: 'redis://queue:6379' });
 *
 * @param to the storage, for `openBulkStorage`
 * @throws ArgumentError; UnsupportedError without the packages `bullmq` and `ioredis`; SourceError when Redis cannot be reached
 */
export async function addModels(
  models: readonly BulkModel[],
  to: string,
  options: AddOptions = {},
): Promise<readonly AddedModel[]> {
  checkOptions(options, RULES);
  check('to', to, text);
  checkModels(models, options);
  const storage = await openBulkStorage(to);
  const bullMq = await loadBullMq();
  const connection = briefConnectionOf(options);
  const flows = new bullMq.FlowProducer({ connection }).on('error', ignored);
  const joins = openJoins(bullMq, connection);
  const results: AddedModel[] = [];
  const taken = new Set(models.map(({ output }) => output));
  try {
    await reached(joins, connection);
    for (const model of models) {
      try {
        results.push(await addModel(model, storage, options, flows, joins, taken));
      } catch (error) {
        options.signal?.throwIfAborted();
        results.push({ output: model.output, state: 'failed', units: 0, bytes: 0, error });
      }
    }
    return results;
  } finally {
    await Promise.all([flows.close(), joins.close()]);
  }
}

async function addModel(
  model: BulkModel,
  storage: BulkStorage,
  options: AddOptions,
  flows: InstanceType<BullMq['FlowProducer']>,
  joins: JoinQueue,
  taken: Set<string>,
): Promise<AddedModel> {
  const { output } = model;
  const {
    encode,
    order,
    keep,
    importance,
    maxUnitBytes,
    priority,
    attempts = ATTEMPTS,
    hostRate,
    signal,
  } = options;
  await using opened = await openBulkModel(model, options, { signal });
  await checkBeside({ opened, storage }, model, taken);
  const { id } = opened;
  const units = unitsOf(opened, options);
  const bytes = units.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const counts = { units: partsOf(units).length, bytes };
  const joined = await findJoined({ opened, storage }, output, { signal });
  if (joined !== undefined) return { output, state: 'done', ...counts };
  // The model's own id has its file.
  const key = sha256(JSON.stringify([id, storage.url]));
  const earlier = await joins.getJob(key);
  if (earlier !== undefined) {
    const state = await earlier.getState();
    if (state !== 'completed' && state !== 'failed') return { output, state: 'waiting', ...counts };
    // What has failed, or whose file has gone, is done again.
    await earlier.remove({ removeChildren: true });
  }
  const shared = {
    attempts,
    backoff: BACKOFF,
    removeOnFail: false,
    ...(priority !== undefined && { priority }),
  };
  const data: JoinData = {
    id,
    key,
    model,
    options: { encode, order, keep, importance, maxUnitBytes },
    to: storage.url,
    ...counts,
    hostRate,
  };
  await flows.add({
    name: 'join',
    queueName: JOINS,
    data,
    opts: { ...shared, jobId: key, removeOnComplete: KEPT },
    children: units.map(({ number, byteLength }) => ({
      name: 'unit',
      queueName: UNITS,
      data: { key, unit: number, bytes: byteLength } satisfies UnitData,
      opts: { ...optionsOfUnit(shared), jobId: `${key}-${number}` },
    })),
  });
  return { output, state: 'queued', ...counts };
}
