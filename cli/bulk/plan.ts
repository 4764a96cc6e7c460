import { readModelFile } from '../../models/file/modelFile.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { UsageError } from '../failure.js';
import { formatOf, openModelInput } from '../input/modelInput.js';
import { formatBytes } from '../progress.js';
import { shareOfPlain, stepsOf } from '../quality/modelFile.js';
import { printReport, table } from '../report.js';

export interface PlanOptions {
  readonly clients?: number;
  readonly qualities?: readonly (number | 'exact')[];
  /** Of a gigabyte (1e9) that leaves the storage or CDN. */
  readonly priceTransfer?: number;
  /** Of a million requests. */
  readonly priceRequests?: number;
  /** Of a gigabyte in the storage for a month. */
  readonly priceStorage?: number;
  readonly json?: true;
}

const CLIENTS = 1000;

const QUALITIES = [0.5, 0.9, 0.95, 0.99, 0.999, 'exact'] as const;

/** What `openModel` reads at first: see `findModel`. */
const FIRST_READ = 65536;

/** What it takes to serve a model file to many clients, by the quality that they load. */
export async function plan(file: string, options: PlanOptions, opening: OpenOptions): Promise<void> {
  const { clients = CLIENTS, qualities = QUALITIES, priceTransfer, priceRequests, priceStorage } = options;
  // Without a price there is no cost: 0.00 would be an answer that nobody can rely on.
  const isPriced = priceTransfer !== undefined || priceRequests !== undefined;
  await using input = await openModelInput([file], opening);
  if (input.kind !== 'file' || (await formatOf(input, opening)) !== 'model-file')
    throw new UsageError(`${quote(file)} is no model file: encode it first`);
  const { tensors, dataStart, fileSize } = await readModelFile(input.source, opening);
  const originalSize = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const steps = stepsOf(tensors, dataStart);
  const rows = qualities.map((quality) => {
    const reached = quality === 'exact' ? undefined : steps.find((step) => step.quality >= quality);
    const bytes = reached?.bytes ?? fileSize;
    const requests = requestsFor(bytes, dataStart);
    const all = { bytes: clients * bytes, requests: clients * requests };
    const cost = (all.bytes / 1e9) * (priceTransfer ?? 0) + (all.requests / 1e6) * (priceRequests ?? 0);
    return { quality, bytes, requests, all, ...(isPriced ? { cost } : {}) };
  });
  const storageCost = priceStorage && (fileSize / 1e9) * priceStorage;
  const lines = table(
    [
      'quality',
      'bytes',
      'of plain',
      'requests',
      `${clients} clients`,
      'requests',
      ...(isPriced ? ['cost'] : []),
    ],
    rows.map(({ quality, bytes, requests, all, cost }) => [
      String(quality),
      String(bytes),
      shareOfPlain(bytes, originalSize),
      String(requests),
      formatBytes(all.bytes),
      String(all.requests),
      ...(cost === undefined ? [] : [cost.toFixed(2)]),
    ]),
  );
  if (storageCost !== undefined) lines.push('', `storage, a month: ${storageCost.toFixed(2)}`);
  printReport(
    { data: { fileSize, originalSize, clients, storageCost, qualities: rows }, lines },
    options.json,
  );
}

/** The first read, the rest of the header if it is longer, and the pieces in one range. */
function requestsFor(bytes: number, dataStart: number): number {
  return 1 + (dataStart > FIRST_READ ? 1 : 0) + (bytes > Math.max(dataStart, FIRST_READ) ? 1 : 0);
}
