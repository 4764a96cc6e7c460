import { stat } from 'node:fs/promises';
import { cleanStorage, openBulkStorage } from '../../bulk/index.js';
import { quote } from '../../src/errors/show.js';
import { UsageError } from '../failure.js';
import { formatBytes } from '../progress.js';
import { printReport } from '../report.js';

export interface CleanChoices {
  /** Hours. */
  readonly olderThan?: number;
  readonly dryRun?: true;
  readonly json?: true;
}

const HOUR_MS = 3_600_000;

/** Deletes encoded units that no conversion needs. */
export async function cleanBulk(place: string, options: CleanChoices, signal: AbortSignal): Promise<void> {
  const { olderThan = 24, dryRun = false, json } = options;
  // A name that is wrong would look as if it were clean.
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!place.startsWith('s3://') && !isFolder) throw new UsageError(`There is no folder ${quote(place)}`);
  const storage = await openBulkStorage(place);
  const result = await cleanStorage(storage, { olderThan: olderThan * HOUR_MS, dryRun, signal });
  const { objects, bytes, keptUnits } = result;
  const what = `${objects} objects, ${formatBytes(bytes)}`;
  const lines = [`${dryRun ? 'would delete' : 'deleted'} ${what}; ${keptUnits} encoded units stay`];
  printReport({ data: { ...result, dryRun }, lines }, json);
}
