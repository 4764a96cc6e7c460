/** The worker of a racer: loads one model over a simulated connection, and reports its quality meanwhile. */
import { type HttpSourceOptions, httpSource, loadDecodings } from 'holostream';
import { blobFetch } from '../network/blobFetch.js';
import { SimulatedConnection } from '../network/connection.js';
import { DigitsTask } from './digitsTask.js';
import { Examiner } from './examiner.js';
import { History } from './history.js';
import { asStreamable, type Streamable, type StreamedFormat } from './ownFile.js';
import type { RacerEvent, RacerRequest, StartRequest, ViewRequest } from './protocol.js';
import { streamedModel } from './streamed/model.js';
import type { Streamed } from './streamed/streamed.js';
import { streamedHct, streamedHoloTensor } from './streamed/tensor.js';
import { matrixOf, viewOf } from './view.js';

/** Milliseconds from a request to its response. */
const LATENCY = 60;
/** How long a cut connection is down, in ms. */
const OUTAGE = 1500;
/** Least time between two reports of bytes, in ms. */
const REPORT_MS = 50;
/** The URL of a file that the page has itself: it is never asked for. */
const OWN_FILE = 'https://own.invalid/model';

declare function postMessage(event: RacerEvent, transfer?: Transferable[]): void;

/** How each format is streamed, from a URL. */
const OPENERS: Readonly<Record<StreamedFormat, (url: string, http: HttpSourceOptions) => Promise<Streamed>>> =
  {
    'model-file': (url, http) => streamedModel(httpSource(url, http)),
    directory: (url, http) => streamedModel(url, { http }),
    holotensor: (url, http) => streamedHoloTensor(httpSource(url, http)),
    hct: (url, http) => streamedHct(httpSource(url, http)),
  };

const task = new DigitsTask();
const history = new History();
const abort = new AbortController();
let connection: SimulatedConnection | undefined;
let streamed: Streamed | undefined;
let received = 0;
let started = 0;

const elapsed = () => performance.now() - started;

async function run({ file: given, rate, task: kind, stopAt }: StartRequest): Promise<void> {
  const streamable: Streamable =
    kind === 'digits' ? { file: given, format: 'model-file' } : await asStreamable(given);
  if (kind !== 'digits') postMessage({ type: 'prepared' });
  started = performance.now();
  await using opened = await open(streamable, rate);
  streamed = opened;
  const { fileSize, weightBytes, tensors, measure, exact } = opened;
  postMessage({ type: 'opened', fileSize, weightBytes, tensors, measure, exact });
  let stopBytes = (stopAt ?? Number.POSITIVE_INFINITY) * weightBytes;
  const examiner = new Examiner(kind === 'digits' ? task : undefined, (step, loaded) => {
    history.add(loaded);
    postMessage({ type: 'step', step });
  });
  await opened.run({
    signal: abort.signal,
    received: () => received,
    onState: (state, mostWaiting) => {
      examiner.add({ ...state, time: elapsed(), received }, mostWaiting);
      if (state.complete || state.bytes < stopBytes) return;
      stopBytes = Number.POSITIVE_INFINITY;
      opened.pause();
      examiner.begin();
      postMessage({ type: 'stopped' });
    },
    onBegun: () => examiner.begin(),
    onFragments: (marks) =>
      postMessage({ type: 'fragments', marks: marks.map((mark) => ({ ...mark, time: elapsed() })) }),
  });
  const time = elapsed();
  report(true);
  await examiner.finish();
  postMessage({ type: 'done', time });
}

/** Opens what is to be streamed, over a connection of this many bytes per second. */
function open({ file, format }: Streamable, rate: number): Promise<Streamed> {
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
  return OPENERS[format](own ? OWN_FILE : file, {
    fetch: connection.fetch,
    signal: abort.signal,
    retry: { delay: 250, retries: 20 },
    onEvent: ({ type }) => type === 'retry' && postMessage({ type: 'retry', time: elapsed() }),
  });
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
  pause: () => streamed?.pause(),
  resume: () => streamed?.resume(),
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
