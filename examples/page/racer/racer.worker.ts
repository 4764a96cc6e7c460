/** The worker of a racer: loads one model over a simulated connection, and reports its quality meanwhile. */
import {
  httpSource,
  loadDecodings,
  type Model,
  type ModelProgress,
  type ModelSnapshot,
  openModel,
  type RandomAccessSource,
} from 'holostream';
import { blobFetch } from '../network/blobFetch.js';
import { SimulatedConnection } from '../network/connection.js';
import { DigitsTask } from './digitsTask.js';
import { Examiner } from './examiner.js';
import { History } from './history.js';
import { asModelFile, urlAsModelFile } from './ownFile.js';
import type { FragmentMark, RacerEvent, RacerRequest, StartRequest, ViewRequest } from './protocol.js';
import { matrixOf, viewOf } from './view.js';

/** Milliseconds from a request to its response. */
const LATENCY = 60;
/** How long a cut connection is down, in ms. */
const OUTAGE = 1500;
/** Least time between two reports of bytes, in ms. */
const REPORT_MS = 50;
/** Least time between two steps, in ms. */
const STEP_MS = 60;
/** What one more step must add to the quality while the bytes are here already. */
const GAIN = 0.002;
/** The URL of a file that the page has itself: it is never asked for. */
const OWN_FILE = 'https://own.invalid/model';

declare function postMessage(event: RacerEvent, transfer?: Transferable[]): void;

/** Takes a state of the model. If the queue is full, the state replaces the last one in it. */
type Take = (snapshot: ModelSnapshot, mostWaiting?: number) => void;

const task = new DigitsTask();
const history = new History();
const abort = new AbortController();
let connection: SimulatedConnection | undefined;
let model: Model | undefined;
let received = 0;
let started = 0;

const elapsed = () => performance.now() - started;

async function run({ file: given, rate, task: kind, stopAt }: StartRequest): Promise<void> {
  const file = kind === 'digits' ? given : await ownFile(given);
  started = performance.now();
  const own = typeof file !== 'string';
  connection = new SimulatedConnection({
    rate,
    latency: LATENCY,
    ...(own && { fetch: blobFetch(file) }),
    onBytes: (bytes) => {
      received += bytes;
      report();
    },
  });
  const source = httpSource(own ? OWN_FILE : file, {
    fetch: connection.fetch,
    signal: abort.signal,
    retry: { delay: 250, retries: 20 },
    onEvent: ({ type }) => type === 'retry' && postMessage({ type: 'retry', time: elapsed() }),
  });
  await using opened = await openModel(source);
  model = opened;
  const weightBytes = opened.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const tensors = opened.tensors.map(({ name, shape, byteLength }) => ({ name, shape, byteLength }));
  postMessage({ type: 'opened', fileSize: source.size ?? 0, weightBytes, tensors });
  let stopBytes = (stopAt ?? Number.POSITIVE_INFINITY) * weightBytes;
  using _ = markFragments(opened, source);
  const examiner = new Examiner(kind === 'digits' ? task : undefined, (step, loaded) => {
    history.add(loaded);
    postMessage({ type: 'step', step });
  });
  const take: Take = ({ tensors: loaded, quality, complete }, mostWaiting) => {
    const bytes = position(source, opened);
    const snapshot = { time: elapsed(), bytes, received, quality, complete, tensors: loaded };
    examiner.add(snapshot, mostWaiting);
    if (!complete && bytes >= stopBytes) {
      stopBytes = Number.POSITIVE_INFINITY;
      opened.pause();
      examiner.begin();
      postMessage({ type: 'stopped' });
    }
  };
  await takeWhatIsHere(opened, source, take);
  examiner.begin();
  const watching = watch(opened, take);
  await opened.load({ signal: abort.signal });
  const time = elapsed();
  report(true);
  await watching;
  await examiner.finish();
  postMessage({ type: 'done', time });
}

/** What the user gave, as a model file. */
async function ownFile(given: string | Blob): Promise<string | Blob> {
  const file =
    typeof given === 'string' ? ((await urlAsModelFile(given)) ?? given) : await asModelFile(given);
  postMessage({ type: 'prepared' });
  return file;
}

/** Bytes of the file up to the end of the last fragment that was decoded. */
function position(source: RandomAccessSource, opened: Model): number {
  return (source.size ?? 0) - opened.plannedBytes();
}

/** The first request brings more than the header: the fragments in it, one at a time. */
async function takeWhatIsHere(opened: Model, source: RandomAccessSource, take: Take): Promise<void> {
  for (;;) {
    const quality = opened.quality + GAIN;
    if (quality >= 1) return;
    const next = opened.plannedBytes({ quality });
    if (next === 0 || position(source, opened) + next > received) return;
    const tensors = await opened.load({ quality, signal: abort.signal });
    if (tensors.size === opened.tensors.length) take({ tensors, quality: opened.quality, complete: false });
  }
}

async function watch(opened: Model, take: Take): Promise<void> {
  const options = { minInterval: STEP_MS, minGain: 0, signal: abort.signal };
  for await (const snapshot of opened.snapshots(options)) take(snapshot, 1);
}

/** Tells which tensor each fragment has improved. */
function markFragments(opened: Model, source: RandomAccessSource): Disposable {
  const before = new Map<string, number>();
  const onProgress = ({ qualities }: ModelProgress) => {
    const marks: FragmentMark[] = [];
    for (const [tensor, quality] of qualities) {
      if (quality === (before.get(tensor) ?? 0)) continue;
      before.set(tensor, quality);
      marks.push({ tensor, time: elapsed(), bytes: position(source, opened), quality });
    }
    if (marks.length > 0) postMessage({ type: 'fragments', marks });
  };
  const subscription = opened.progress$.subscribe(onProgress);
  return { [Symbol.dispose]: () => subscription.unsubscribe() };
}

let reported = 0;
function report(always = false): void {
  const now = performance.now();
  if (!always && now - reported < REPORT_MS) return;
  reported = now;
  postMessage({ type: 'received', bytes: received, time: elapsed() });
}

function answerView(request: ViewRequest): void {
  const latest = history.tensor(request.tensor);
  if (latest === undefined) return;
  const state = history.tensor(request.tensor, request.step) ?? latest;
  const view = viewOf(request, matrixOf(latest.shape, state.data), matrixOf(latest.shape, latest.data));
  postMessage({ type: 'view', ...view }, [view.cells.buffer]);
}

function answerImage(image: Float32Array): void {
  const scores = task.probabilities(image);
  if (scores !== undefined) postMessage({ type: 'scores', scores });
}

const ANSWERS: {
  readonly [T in RacerRequest['type']]: (request: Extract<RacerRequest, { type: T }>) => void;
} = {
  start: (request) => {
    run(request).catch((error: unknown) => {
      if (abort.signal.aborted) postMessage({ type: 'cancelled' });
      else postMessage({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    });
  },
  rate: ({ rate }) => {
    if (connection !== undefined) connection.rate = rate;
  },
  pause: () => model?.pause(),
  resume: () => model?.resume(),
  cancel: () => abort.abort(),
  cut: () => connection?.cut(OUTAGE),
  classify: ({ image }) => answerImage(image),
  view: answerView,
};

addEventListener('message', ({ data }: MessageEvent<RacerRequest>) => {
  (ANSWERS[data.type] as (request: RacerRequest) => void)(data);
});
// A page would load them while it waits for the first bytes.
loadDecodings(['embedded']).finally(() => postMessage({ type: 'ready' }));
