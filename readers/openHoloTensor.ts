import type { ByteQueue } from '../src/bytes/byteQueue.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { limitsOf } from '../src/checks/limits.js';
import { checkOptions, type Rules } from '../src/checks/options.js';
import { withPlace } from '../src/errors/placed.js';
import { endOfFragment, type FragmentIndexEntry } from '../src/holotensor/fragment.js';
import { parseHoloTensorHeaderBytes } from '../src/holotensor/header.js';
import { type HoloTensorLayout, parseHoloTensorStart } from '../src/holotensor/parser.js';
import { UNPACK_RULES, type UnpackOptions } from '../src/holotensor/unpack.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { type RandomAccessSource, sourceName } from '../src/source.js';
import type { WorkersOption } from '../workers/pool.js';
import { WORKERS } from '../workers/task.js';
import { PARTIAL_RULES, type PartialOption } from './partial.js';
import { readGrammar } from './readGrammar.js';

export interface HoloTensorReaderOptions extends UnpackOptions, AbortOptions, WorkersOption, PartialOption {}

const READER_RULES: Rules<HoloTensorReaderOptions> = {
  ...UNPACK_RULES,
  ...ABORT_RULES,
  ...PARTIAL_RULES,
  workers: WORKERS,
};

/** A file whose header and index have been read. */
export interface OpenedHoloTensor {
  readonly source: RandomAccessSource;
  readonly layout: HoloTensorLayout;
  /** The fragments that are complete; with `partial`, some may be missing. */
  readonly available: readonly FragmentIndexEntry[];
  readonly kernels: Kernels<'xxh3'>;
  readonly options: HoloTensorReaderOptions;
}

/** @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError, SourceError */
export async function openHoloTensor(
  source: RandomAccessSource,
  options: HoloTensorReaderOptions,
): Promise<OpenedHoloTensor> {
  checkOptions(options, READER_RULES);
  return withPlace({ file: sourceName(source) }, () => readStart(source, options));
}

async function readStart(
  source: RandomAccessSource,
  options: HoloTensorReaderOptions,
): Promise<OpenedHoloTensor> {
  const limits = limitsOf(options);
  let kernels!: Kernels<'xxh3'>;
  const ready = loadKernels(['xxh3']).then((loaded) => {
    kernels = loaded;
  });
  const parseHeader = (bytes: Uint8Array) => parseHoloTensorHeaderBytes(bytes, kernels.xxh3);
  const parse = (queue: ByteQueue) => parseHoloTensorStart(queue, limits, parseHeader);
  const layout = await readGrammar('HoloTensor', parse, source, 0, { ...options, ready });
  // Loaded on demand: most files are opened as a whole.
  const sizeOf = options.partial && (await import('../sources/sizeOf.js')).sizeOf;
  const size = sizeOf ? await sizeOf(source, layout.dataStart, options) : Infinity;
  const available = layout.entries.filter((entry) => layout.dataStart + endOfFragment(entry) <= size);
  return { source, layout, available, kernels, options };
}
