import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeModel } from '../../models/directory/encodeModel.js';
import { encodeModelFile } from '../../models/file/encodeModelFile.js';
import { folderStagingStore } from '../../models/file/folderStagingStore.js';
import { readModelFile } from '../../models/file/modelFile.js';
import { modelFileContent } from '../../models/inputs/modelFile.js';
import { choosePieces, decodeChosen } from '../../models/plain/choosePieces.js';
import { fileSink } from '../../sinks/file.js';
import { fileSource } from '../../sources/file.js';
import { Budget, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { ArgumentError } from '../../src/errors.js';
import type { RandomAccessSource, SeekableSink } from '../../src/source.js';
import { eachBounded } from '../../workers/eachBounded.js';
import { loadPool } from '../../workers/loadPool.js';
import { BENCH_CHOICES, type BenchChoice, type BenchOptions } from '../benchChoice.js';
import { type ModelFiles, openModelFiles, totalSize } from '../input/modelInput.js';
import { formatBytes, startProgress } from '../progress.js';
import { stepsOf } from '../quality/modelFile.js';
import { printReport, type Report, table } from '../report.js';
import { threadsFor, type WorkersChoice } from '../threads.js';

const QUALITIES = [0.9, 0.99, 0.999] as const;

/** What one encoding makes of a model. Sizes in bytes. */
interface Result {
  readonly encoding: BenchChoice;
  readonly fileSize: number;
  readonly encodeSeconds: number;
  /** Undefined where decoding is that of every reader: blocks of Zstd or LZ4. */
  readonly decodeSeconds: number | undefined;
  /** Bytes of a download until the model has the quality; undefined where it never has. */
  readonly bytesTo: Readonly<Record<string, number | undefined>>;
  /** At the end. */
  readonly quality: number;
}

interface Refusal {
  readonly encoding: BenchChoice;
  readonly cannot: string;
}

/** Encodes a model in each way, into a temporary folder, and says what each costs and gives. */
export async function bench(
  names: readonly string[],
  { encoding = BENCH_CHOICES, json }: BenchOptions,
  options: OpenOptions & WorkersChoice,
): Promise<void> {
  await using model = await openModelFiles(names, options);
  const folder = await mkdtemp(join(tmpdir(), 'holostream-bench-'));
  const results: (Result | Refusal)[] = [];
  try {
    for (const name of encoding) results.push(await tried(model, name, folder, options));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  printReport(describe(totalSize(model), results), json);
}

/** What an encoding refuses (a NaN in a tensor) is its result. */
async function tried(
  model: ModelFiles,
  encoding: BenchChoice,
  folder: string,
  options: OpenOptions & WorkersChoice,
): Promise<Result | Refusal> {
  try {
    const isCompression = encoding === 'zstd' || encoding === 'lz4';
    return await (isCompression
      ? compressed(model, encoding, options)
      : fragmented(model, encoding, folder, options));
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    return { encoding, cannot: error.message };
  }
}

async function fragmented(
  model: ModelFiles,
  encoding: HolographicEncoding,
  folder: string,
  { signal, workers: chosen, ...options }: OpenOptions & WorkersChoice,
): Promise<Result> {
  const path = join(folder, `${encoding}.holo.safetensors`);
  const workers = threadsFor(chosen, totalSize(model));
  const staging = await folderStagingStore(join(folder, encoding));
  const start = performance.now();
  {
    using progress = startProgress('encoding', totalSize(model));
    const onProgress = (bytes: number) => progress.reach(bytes);
    await encodeModelFile(model.files, await fileSink(path), staging, {
      ...{ ...options, encode: { encoding }, workers, signal, onProgress },
    });
  }
  await staging.remove();
  const encoded = performance.now();
  const source = await fileSource(path);
  try {
    const { steps, quality } = await decodeAll(source, { ...options, signal, workers });
    const bytesTo = Object.fromEntries(
      QUALITIES.map((wanted) => [wanted, steps.find((step) => step.quality >= wanted)?.bytes]),
    );
    const [encodeSeconds, decodeSeconds] = [(encoded - start) / 1000, (performance.now() - encoded) / 1000];
    return { encoding, fileSize: (await stat(path)).size, encodeSeconds, decodeSeconds, bytesTo, quality };
  } finally {
    await source.close?.();
    await rm(path, { force: true });
  }
}

async function decodeAll(source: RandomAccessSource, options: OpenOptions & { readonly workers: number }) {
  const file = await readModelFile(source, options);
  const { tensors, quality } = choosePieces(modelFileContent(file, source).tensors);
  const pool = await loadPool(options.workers);
  using progress = startProgress('decoding', file.fileSize);
  const decode = async (chosen: (typeof tensors)[number], signal: AbortSignal) => {
    await decodeChosen(chosen, new Budget(limitsOf(options)), { signal, pool });
    for (const { length } of chosen.pieces) progress.advance(length);
  };
  await eachBounded(tensors, (pool?.size ?? 0) + 1, decode, options.signal);
  return { steps: stepsOf(file.tensors, file.dataStart), quality };
}

/** A sink that counts: HCT files are read as a whole, so that only their size matters. */
async function compressed(
  model: ModelFiles,
  algorithm: 'zstd' | 'lz4',
  { signal, limits }: OpenOptions,
): Promise<Result> {
  using progress = startProgress('encoding', totalSize(model));
  const start = performance.now();
  const nowhere = async (): Promise<SeekableSink> => ({
    write: async () => {},
    close: async () => {},
    abort: async () => {},
  });
  const onProgress = (bytes: number) => progress.advance(bytes);
  const { tensors } = await encodeModel(model.files, nowhere, { algorithm, signal, limits, onProgress });
  const encodeSeconds = (performance.now() - start) / 1000;
  const fileSize = tensors.reduce((sum, tensor) => sum + tensor.fileSize, 0);
  const bytesTo = Object.fromEntries(QUALITIES.map((wanted) => [wanted, fileSize]));
  return { encoding: algorithm, fileSize, encodeSeconds, decodeSeconds: undefined, bytesTo, quality: 1 };
}

function describe(originalSize: number, results: readonly (Result | Refusal)[]): Report {
  const share = (bytes: number | undefined) =>
    bytes === undefined ? 'never' : `${((100 * bytes) / Math.max(1, originalSize)).toFixed(1)} %`;
  const rows = results.map((result) => {
    if ('cannot' in result) return [result.encoding, `cannot: ${result.cannot}`];
    const { encoding, fileSize, encodeSeconds, decodeSeconds, bytesTo, quality } = result;
    return [
      ...[encoding, share(fileSize), `${encodeSeconds.toFixed(2)} s`],
      decodeSeconds === undefined ? '' : `${decodeSeconds.toFixed(2)} s`,
      ...QUALITIES.map((wanted) => share(bytesTo[wanted])),
      quality === 1 ? 'exact' : quality.toFixed(6),
    ];
  });
  const head = [
    'encoding',
    'size',
    'encode',
    'decode',
    ...QUALITIES.map((quality) => `to ${quality}`),
    'at the end',
  ];
  return {
    data: { originalSize, results },
    lines: [
      `${formatBytes(originalSize)} as plain files; sizes, and bytes to a cosine similarity, are parts of that`,
      '',
      ...table(head, rows),
      ...advice(results.flatMap((result) => ('cannot' in result ? [] : [result]))),
    ],
  };
}

/** Which of them: the exact one that is useful first, by the middle of the qualities. */
function advice(results: readonly Result[]): string[] {
  const exact = results.filter(({ quality, bytesTo }) => quality === 1 && bytesTo[0.99] !== undefined);
  const [best] = exact.toSorted((a, b) => a.bytesTo[0.99]! - b.bytesTo[0.99]! || a.fileSize - b.fileSize);
  return best === undefined ? [] : ['', `Fewest bytes to 0.99 among those that end exact: ${best.encoding}`];
}
