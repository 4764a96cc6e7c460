import {
  addModels,
  type BulkStatus,
  bulkStatus,
  type FailedUnit,
  type JobOutcome,
  type RedisOption,
  workBulk,
} from '../../bulk/index.js';
import { quote } from '../../src/errors/show.js';
import { DataError, describeFailure } from '../failure.js';
import { formatBytes } from '../progress.js';
import { printReport, table } from '../report.js';
import { print, tell } from '../terminal.js';
import { threadsFor, type WorkersChoice } from '../threads.js';
import { chosenEncoding, chosenModels, type ModelChoices } from './choices.js';

/** Commands of the queue in Redis. */

export interface QueueAddOptions extends ModelChoices, RedisOption {
  readonly priority?: number;
  readonly attempts?: number;
  readonly hostRate?: number;
  readonly json?: true;
}

export async function addBulk(
  sources: readonly string[],
  options: QueueAddOptions,
  signal: AbortSignal,
): Promise<void> {
  const { to, redis, priority, attempts, hostRate, json } = options;
  const models = await chosenModels(sources, options);
  const encoding = await chosenEncoding(options);
  const added = await addModels(models, to, { ...encoding, redis, priority, attempts, hostRate, signal });
  const data = added.map(({ error, ...rest }) => ({
    ...rest,
    error: error === undefined ? undefined : describeFailure(error).message,
  }));
  const rows = added.map(({ output, state, units, bytes }) => [output, state, String(units), String(bytes)]);
  printReport({ data, lines: table(['model', 'state', 'units', 'bytes'], rows) }, json);
  const failed = added.filter(({ state }) => state === 'failed');
  for (const { output, error } of failed)
    tell(`holostream: ${quote(output)}: ${describeFailure(error).message}`);
  if (failed.length > 0) throw new DataError(`${failed.length} of ${models.length} models were not added`);
}

export interface QueueWorkOptions extends RedisOption, WorkersChoice {
  readonly concurrency?: number;
  readonly drain?: true;
  /** Seconds. */
  readonly grace?: number;
  readonly stalled?: number;
}

/** Writes a line of JSON for each job. */
export async function workOnBulk(options: QueueWorkOptions, signal: AbortSignal): Promise<void> {
  const { redis, workers, concurrency, drain, grace, stalled } = options;
  await workBulk({
    redis,
    workers: threadsFor(workers, Infinity),
    concurrency,
    drain,
    grace: grace && grace * 1000,
    stalled: stalled && stalled * 1000,
    signal,
    onUnreachable: (error) => tell(`holostream: ${describeFailure(error).message}; waiting for it`),
    onJob: (outcome) => print([JSON.stringify(described(outcome))]),
  });
}

function described({ error, ...outcome }: JobOutcome) {
  return { ...outcome, error: error === undefined ? undefined : describeFailure(error).message };
}

export async function showBulk(
  options: RedisOption & { readonly json?: true },
  signal: AbortSignal,
): Promise<void> {
  const status = await bulkStatus({ redis: options.redis, signal });
  printReport({ data: status, lines: linesOf(status) }, options.json);
}

/** Rows of one table: more are only in JSON. */
const MAX_ROWS = 1000;

function linesOf({ models, units, failed }: BulkStatus): string[] {
  const rows = models
    .slice(0, MAX_ROWS)
    .map(({ output, state, units, encodedUnits, bytes, encodedBytes }) => [
      output,
      state,
      `${encodedUnits} of ${units}`,
      `${formatBytes(encodedBytes)} of ${formatBytes(bytes)}`,
    ]);
  const counts = Object.entries(units).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []));
  return [
    ...table(['model', 'state', 'units', 'encoded'], rows),
    ...(models.length > MAX_ROWS ? [`and ${models.length - MAX_ROWS} more`] : []),
    '',
    `units: ${counts.join(', ') || 'none'}`,
    ...failed.slice(0, MAX_ROWS).map(failedLine),
  ];
}

function failedLine({ output = 'a model that was removed', unit, attempts, error }: FailedUnit): string {
  const part = unit === undefined ? 'the join' : `unit ${unit}`;
  return `failed: ${quote(output)}, ${part}, ${attempts} tries: ${error.message}`;
}
