import {
  type BulkProgress,
  type ConvertedModel,
  convertModels,
  openBulkStorage,
  type Shard,
} from '../../bulk/index.js';
import { quote } from '../../src/errors/show.js';
import { DataError, describeFailure, UsageError } from '../failure.js';
import { type Progress, startProgress } from '../progress.js';
import { printReport, table } from '../report.js';
import { tell } from '../terminal.js';
import { threadsFor, type WorkersChoice } from '../threads.js';
import { chosenEncoding, chosenModels, type ModelChoices } from './choices.js';

export interface RunOptions extends ModelChoices, WorkersChoice {
  readonly shard?: Shard;
  readonly join?: true;
  readonly json?: true;
}

/** Converts models in this process, or the part of one shard. */
export async function runBulk(
  sources: readonly string[],
  options: RunOptions,
  signal: AbortSignal,
): Promise<void> {
  const { to, shard, join, json, workers } = options;
  if (join && shard === undefined)
    throw new UsageError('--join goes with --shard: without it, models are joined');
  const models = await chosenModels(sources, options);
  const encoding = await chosenEncoding(options);
  const storage = await openBulkStorage(to);
  const results = await convertModels(models, storage, {
    ...encoding,
    // There are many models, or large ones.
    workers: threadsFor(workers, Infinity),
    shard,
    join,
    signal,
    onProgress: progressBars(),
  });
  printReport(describe(results), json);
  const failed = results.filter(({ error }) => error !== undefined);
  for (const { output, error } of failed)
    tell(`holostream: ${quote(output)}: ${describeFailure(error).message}`);
  if (failed.length > 0) throw new DataError(`${failed.length} of ${models.length} models failed`);
}

/** A bar for each model and stage. */
function progressBars(): (progress: BulkProgress) => void {
  let shown: { readonly key: string; readonly bar: Progress } | undefined;
  return ({ output, stage, bytes, totalBytes }) => {
    const key = `${stage} ${output}`;
    if (shown?.key !== key) {
      shown?.bar[Symbol.dispose]();
      shown = { key, bar: startProgress(stage === 'encode' ? 'encoding' : 'joining', totalBytes) };
    }
    shown.bar.reach(bytes);
    if (bytes === totalBytes) shown.bar[Symbol.dispose]();
  };
}

function describe(results: readonly ConvertedModel[]) {
  const data = results.map(({ error, ...result }) => ({
    ...result,
    error: error === undefined ? undefined : describeFailure(error).message,
  }));
  const rows = results.map(({ output, fileSize, encodedUnits, foundUnits, error }) => [
    output,
    error !== undefined ? 'failed' : fileSize === undefined ? 'encoded' : String(fileSize),
    String(encodedUnits),
    String(foundUnits),
  ]);
  const lines =
    rows.length === 0
      ? ['Nothing to do: this shard has no model.']
      : table(['model', 'bytes', 'units encoded', 'units found'], rows);
  return { data, lines };
}
