import { Subject } from 'rxjs';
import * as main from '../../index.js';
import * as operators from '../../operators/index.js';
import * as sinks from '../../sinks/index.js';
import { asBytes, type BytesLike } from '../../src/bytes/binary.js';
import type { HctPart } from '../../src/hct/parts.js';
import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import type { NpyPart } from '../../src/npy/stages.js';
import { npyOf } from '../helpers/npyFiles.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { chunked, collect, streamOf, tick } from '../helpers/streams.js';
import { aheadOfReader, type Case, counted, Gauge, needsOf, type StageInput, settled } from './measure.js';

/** The stages, as streams and as operators. */

const CHUNK = 2 ** 14;
const bytes = (chunk: BytesLike) => chunk.byteLength;
const one = () => 1;

const SHAPE = [512, 1024] as const;
const TENSOR = pseudoRandomBytes(4 * SHAPE[0] * SHAPE[1]);
const HCT_OPTIONS = { dtype: 'I8', shape: [TENSOR.length] } as const;

const tensorChunks = await collect(chunked(TENSOR, CHUNK));
const hctChunks = await collect(chunked(await hctFile(TENSOR), CHUNK));
const parts = await collect(streamOf(...hctChunks).pipeThrough(new operators.HctParserStream()));
/** Sixteen mebibytes of zeros, in a chunk or two. */
const zeroChunks = await collect(chunked(await hctFile(new Uint8Array(2 ** 24)), CHUNK));
const npyChunks = await collect(chunked(npyOf('u1', [TENSOR.length], TENSOR), CHUNK));

const holo = await holoFile();
const holoChunks = await collect(chunked(holo, CHUNK));
const fragments = await collect(streamOf(holo).pipeThrough(new operators.FragmentDecoderStream()));
const reconstructions = await collect(
  streamOf(...fragments).pipeThrough(new operators.ReconstructionStream({ reuseBuffer: false })),
);

const ofBytes = (items: readonly BytesLike[]): StageInput<BytesLike, Uint8Array> => ({
  items,
  weigh: bytes,
  weighOutput: bytes,
});
const compressed = (part: HctPart) => (part.kind === 'block' ? part.compressed.length : 0);
const largestBlock = Math.max(...parts.map(compressed));
const fragmentBytes = ({ data }: ReceivedFragment) => data.length;
const tensorBytes = ({ data }: Reconstruction) => data.byteLength;

const inputs = {
  hct: ofBytes(hctChunks),
  zeros: ofBytes(zeroChunks),
  tensor: ofBytes(tensorChunks),
  hctParts: { items: hctChunks, weigh: bytes, weighOutput: one },
  verified: { items: parts, weigh: compressed, weighOutput: one },
  fragments: { items: holoChunks, weigh: bytes, weighOutput: one },
  // Without the last, which is good enough.
  limited: { items: reconstructions.slice(0, -1), weigh: tensorBytes, weighOutput: one },
  npy: { items: npyChunks, weigh: bytes, weighOutput: (part: NpyPart) => ('bytes' in part ? 1 : 0) },
} as const;

/** More than this waits nowhere: the chunk whose outputs are not all read holds the next one back. */
const ONE_CHUNK = CHUNK;

const STREAMS: readonly Case[] = [
  stream('HctDecoderStream', ONE_CHUNK, () => new operators.HctDecoderStream(), inputs.hct),
  {
    ...stream('HctDecoderStream', ONE_CHUNK, () => new operators.HctDecoderStream(), inputs.zeros),
    how: 'blocks of zeros',
  },
  stream('HctParserStream', ONE_CHUNK, () => new operators.HctParserStream(), inputs.hctParts),
  stream('HctVerificationStream', largestBlock, () => new operators.HctVerificationStream(), inputs.verified),
  stream(
    'HctDecompressionStream',
    largestBlock,
    () => new operators.HctDecompressionStream(),
    inputs.verified,
  ),
  stream('FragmentDecoderStream', ONE_CHUNK, () => new operators.FragmentDecoderStream(), inputs.fragments),
  stream(
    'QualityLimiterStream',
    tensorBytes(reconstructions[0]!),
    () => new operators.QualityLimiterStream(1),
    inputs.limited,
  ),
  stream('NpyParserStream', ONE_CHUNK, () => new operators.NpyParserStream(), inputs.npy),
  stream(
    'NpyEncoderStream',
    ONE_CHUNK,
    () => new operators.NpyEncoderStream('I8', [TENSOR.length]),
    inputs.tensor,
  ),
  stream('StageStream', ONE_CHUNK, () => new operators.StageStream(repeater), inputs.tensor),
  // Their outputs need all of the input: nothing of it is taken before they are asked for.
  stream('HctCollectorStream', ONE_CHUNK, () => new operators.HctCollectorStream(), {
    items: hctChunks,
    weigh: bytes,
    weighOutput: one,
  }),
  stream('HctEncoderStream', ONE_CHUNK, () => new operators.HctEncoderStream(HCT_OPTIONS), inputs.tensor),
  { of: 'new ReconstructionStream', bound: 0, peak: () => queuedStates() },
  {
    of: 'new ReconstructionStream',
    how: 'every 100 ms',
    bound: 0,
    peak: () => queuedStates({ emit: { everyMs: 100 }, scheduler: standingClock() }),
  },
  {
    of: 'new ReconstructionStream',
    how: '1 worker',
    bound: 0,
    peak: () => withPool((workers) => queuedStates({ workers })),
  },
];

const OPERATORS: readonly Case[] = [
  operator(
    'decodeHct',
    () => main.decodeHct(),
    () => new operators.HctDecoderStream(),
    inputs.hct,
  ),
  operator(
    'parseHct',
    () => operators.parseHct(),
    () => new operators.HctParserStream(),
    inputs.hctParts,
  ),
  operator(
    'verifyHct',
    () => operators.verifyHct(),
    () => new operators.HctVerificationStream(),
    inputs.verified,
  ),
  operator(
    'decompressHct',
    () => operators.decompressHct(),
    () => new operators.HctDecompressionStream(),
    inputs.verified,
  ),
  operator(
    'decodeFragments',
    () => operators.decodeFragments(),
    () => new operators.FragmentDecoderStream(),
    inputs.fragments,
  ),
  operator(
    'takeUntilQuality',
    () => operators.takeUntilQuality(1),
    () => new operators.QualityLimiterStream(1),
    inputs.limited,
  ),
  operator(
    'parseNpy',
    () => operators.parseNpy(),
    () => new operators.NpyParserStream(),
    inputs.npy,
  ),
  operator(
    'encodeNpy',
    () => operators.encodeNpy('I8', [TENSOR.length]),
    () => new operators.NpyEncoderStream('I8', [TENSOR.length]),
    inputs.tensor,
  ),
  operator(
    'stageOperator',
    () => operators.stageOperator(repeater),
    () => new operators.StageStream(repeater),
    inputs.tensor,
  ),
  operator(
    'collectHct',
    () => main.collectHct(),
    () => new operators.HctCollectorStream(),
    {
      items: hctChunks,
      weigh: bytes,
      weighOutput: one,
    },
  ),
  operator(
    'encodeHct',
    () => main.encodeHct(HCT_OPTIONS),
    () => new operators.HctEncoderStream(HCT_OPTIONS),
    inputs.tensor,
  ),
  { of: 'reconstruct', bound: 0, peak: unusedFragments },
  { of: 'fromReadableStream', bound: CHUNK, peak: aheadOfSubscriber },
];

/** A mebibyte for each of the two tasks that a thread has under way, what LZ4 adds to noise, and two chunks. */
const WORKER_BYTES = 2 * (2 ** 20 + 2 ** 14) + 2 * 2 ** 16;
/** Made once, when it is first needed. */
let workerInput: Promise<Uint8Array[]> | undefined;
const workerChunks = () =>
  (workerInput ??= hctFile(pseudoRandomBytes(2 ** 25)).then((file) => collect(chunked(file, 2 ** 16))));

type Drain = (
  source: ReadableStream<BytesLike>,
  workers: main.WorkerPool,
  signal: AbortSignal,
) => Promise<void>;

const nowhere = () => new WritableStream<unknown>();

const SILENT: readonly (readonly [name: string, drain: Drain])[] = [
  [
    'HctDecoderStream',
    (source, workers, signal) =>
      source.pipeThrough(new operators.HctDecoderStream({ workers })).pipeTo(nowhere(), { signal }),
  ],
  [
    'HctCollectorStream',
    (source, workers, signal) =>
      source.pipeThrough(new operators.HctCollectorStream({ workers })).pipeTo(nowhere(), { signal }),
  ],
  [
    'TensorSink',
    async (source, workers, signal) => {
      const sink = new sinks.TensorSink({ workers });
      const writer = sink.getWriter();
      signal.addEventListener('abort', () => void writer.abort().catch(() => {}));
      for await (const chunk of source) {
        await writer.ready;
        writer.write(asBytes(chunk)).catch(() => {});
      }
    },
  ],
];

const WORKERS: readonly Case[] = [
  {
    of: 'new HctDecoderStream',
    how: '1 worker',
    bound: WORKER_BYTES,
    peak: () =>
      withPool(async (workers) => {
        const input = ofBytes(await workerChunks());
        const needs = await needsOf(new operators.HctDecoderStream(), input);
        return aheadOfReader(() => new operators.HctDecoderStream({ workers }), input, needs);
      }),
  },
  ...SILENT.map(([name, drain]) => ({
    of: `new ${name}`,
    how: 'a worker that never answers',
    bound: WORKER_BYTES,
    peak: async () => {
      const items = await workerChunks();
      return withPool(async (workers) => {
        const gauge = new Gauge();
        const abort = new AbortController();
        const drained = drain(counted(items, bytes, gauge), workers, abort.signal).catch(() => {});
        await settled(gauge);
        abort.abort();
        await drained;
        return gauge.peak;
      }, 'silentWorker.mjs');
    },
  })),
];

export const STAGE_CASES: readonly Case[] = [...STREAMS, ...OPERATORS, ...WORKERS];

function stream<I, O>(
  name: string,
  bound: number,
  make: () => TransformStream<I, O>,
  input: StageInput<I, O>,
): Case {
  return { of: `new ${name}`, bound, peak: () => aheadOfReader(make, input) };
}

/** RxJS has no backpressure: what is measured is that nothing stays behind when the source waits. */
function operator<I, O>(
  name: string,
  make: () => (source: Subject<I>) => { subscribe(next: (output: O) => void): unknown },
  twin: () => TransformStream<I, O>,
  input: StageInput<I, O>,
): Case {
  const peak = async () => {
    const needs = await needsOf(twin(), input);
    const gauge = new Gauge();
    const source = new Subject<I>();
    let outputs = 0;
    make()(source).subscribe((output) => {
      outputs += input.weighOutput(output);
    });
    let behind = 0;
    let taken = 0;
    for (const item of input.items) {
      taken += input.weigh(item);
      source.next(item);
      await tick(0);
      // Loading a codec takes some turns.
      const due = needs.findLast((need) => need.input <= taken && need.input < needs.at(-1)!.input);
      if (due !== undefined && outputs < due.outputs) await settled(gauge);
      if (due !== undefined && outputs < due.outputs) behind = Math.max(behind, taken);
    }
    source.complete();
    return behind;
  };
  return { of: name, bound: 0, peak };
}

type Options = operators.ReconstructionStreamOptions;

/** Bytes of reconstructions that have waited for a reader who comes when all fragments have: beyond the last state. */
async function queuedStates(options: Options = {}): Promise<number> {
  const gauge = new Gauge();
  const source = counted(fragments, fragmentBytes, gauge);
  const reader = source.pipeThrough(new operators.ReconstructionStream(options)).getReader();
  const all = fragments.reduce((sum, fragment) => sum + fragmentBytes(fragment), 0);
  while (gauge.taken < all) await tick(1);
  await settled(gauge);
  let states = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read())
    states += tensorBytes(next.value);
  return states - tensorBytes(reconstructions[0]!);
}

function standingClock(): Options['scheduler'] {
  return { now: () => 0, schedule: () => ({ unsubscribe() {} }) };
}

async function unusedFragments(): Promise<number> {
  const source = new Subject<ReceivedFragment>();
  let used = 0;
  main
    .reconstruct()(source)
    .subscribe((state) => {
      used = state.fragments;
    });
  let most = 0;
  for (const [i, fragment] of fragments.entries()) {
    source.next(fragment);
    await settled(new Gauge());
    most = Math.max(most, i + 1 - used);
  }
  source.complete();
  return most;
}

async function aheadOfSubscriber(): Promise<number> {
  const gauge = new Gauge();
  let delivered = 0;
  await new Promise<void>((resolve, reject) => {
    main.fromReadableStream(counted(tensorChunks, bytes, gauge)).subscribe({
      next(chunk) {
        delivered += chunk.length;
        gauge.deliver(delivered);
      },
      complete: resolve,
      error: reject,
    });
  });
  return gauge.peak;
}

/** Gives each input eight times. */
function repeater(): operators.Stage<BytesLike, Uint8Array> {
  return { push: (chunk) => Array<Uint8Array>(8).fill(new Uint8Array(chunk.byteLength)), flush: () => [] };
}

async function withPool<T>(
  use: (pool: main.WorkerPool) => Promise<T>,
  script = 'workerFromSource.mjs',
): Promise<T> {
  const pool = new main.WorkerPool(1, { url: new URL(`../helpers/${script}`, import.meta.url) });
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

async function hctFile(tensor: Uint8Array): Promise<Uint8Array> {
  const sink = main.memorySink();
  const writer = new main.HctWriter(sink, { dtype: 'I8', shape: [tensor.length] });
  await writer.write(tensor);
  await writer.close();
  return sink.bytes;
}

async function holoFile(): Promise<Uint8Array> {
  await main.loadDecodings();
  const weights = Float32Array.from({ length: 2 ** 16 }, (_, i) => Math.sin(i * i));
  const { header, fragments: all } = new main.HoloTensorEncoder('spectral', { fragments: 16 }).encode(
    weights,
    [256, 256],
  );
  const sink = main.memorySink();
  await new main.HoloTensorWriter(sink).write(header, all);
  return sink.bytes;
}
