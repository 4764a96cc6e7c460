import {
  type LoadedTensor,
  type Model,
  type ModelProgress,
  type OutputType,
  openModel,
  type SourceEvent,
} from 'holostream';
import { auditTime, fromEvent, map, merge, type Subscription, scan } from 'rxjs';
import { accuracy, classify, type Layer } from '../digits/mlp.js';
import { layersOf } from '../digits/model.js';
import { testSet } from '../digits/testSet.js';
import { Chart } from './chart.js';
import { DigitGrid } from './digitGrid.js';
import { DrawingPad } from './drawingPad.js';
import { element } from './element.js';

/** `serve.ts` makes it from the digits model. */
const MODEL = 'digits.holo.safetensors';
/** Bytes of the safetensors file that it was made from: what a page without fragments waits for. */
const WHOLE_SIZE = 610_904;
/** Held-out images to classify after each step: enough for a figure, few enough for a frame. */
const SAMPLES = 300;
/** Shortest time between updates of the page, in ms. */
const REFRESH = 100;

const samples = testSet().slice(0, SAMPLES);
const grid = new DigitGrid(element('digits', HTMLElement), samples.slice(0, 40));
const chart = new Chart(element('chart', SVGSVGElement), WHOLE_SIZE);
const pad = new DrawingPad(element('pad', HTMLCanvasElement), element('clear', HTMLButtonElement));
const status = element('status', HTMLOutputElement);
const pause = element('pause', HTMLButtonElement);

let layers: readonly Layer[] = [];
let model: Model | undefined;
let showing: Subscription | undefined;
let paused = false;
let headerBytes = 0;

fromEvent<SubmitEvent>(element('controls', HTMLFormElement), 'submit').subscribe((event) => {
  event.preventDefault();
  load().catch((error: unknown) => {
    status.value = error instanceof Error ? error.message : String(error);
  });
});

fromEvent(pause, 'click').subscribe(() => {
  paused = !paused;
  if (paused) model?.pause();
  else model?.resume();
  pause.textContent = paused ? 'Resume' : 'Pause';
});

pad.image$.subscribe(() => guess());

/** Before the load begins, all requests are for the file's header. */
function countHeader(event: SourceEvent): void {
  if (model === undefined && event.type === 'request') headerBytes += (event.end ?? 0) - event.start;
}

async function load(): Promise<void> {
  showing?.unsubscribe();
  void model?.close();
  model = undefined;
  layers = [];
  chart.clear();
  grid.clear();
  status.value = 'Opening the model …';
  const rate = element('rate', HTMLSelectElement).value;
  headerBytes = 0;
  const opened = await openModel(`${MODEL}?rate=${rate}`, { http: { onEvent: countHeader } });
  model = opened;
  paused = false;
  pause.textContent = 'Pause';
  pause.disabled = false;
  // The state of the load: the latest of each tensor, and the progress.
  const arrived = merge(
    opened.updates$.pipe(map((tensor) => ({ tensor }))),
    opened.progress$.pipe(map((progress) => ({ progress }))),
  ).pipe(
    scan<Change, Arrived>(
      ({ tensors, progress }, change) => ({
        tensors: change.tensor === undefined ? tensors : tensors.set(change.tensor.name, change.tensor),
        progress: change.progress ?? progress,
      }),
      { tensors: new Map(), progress: undefined },
    ),
  );
  showing = arrived.pipe(auditTime(REFRESH)).subscribe(show);
  status.value = `Loading ${opened.tensors.length} tensors …`;
  await opened.load();
  status.value = 'Complete: every bit is the original’s.';
  pause.disabled = true;
}

interface Change {
  readonly tensor?: LoadedTensor<OutputType>;
  readonly progress?: ModelProgress;
}

interface Arrived {
  readonly tensors: Map<string, LoadedTensor<OutputType>>;
  readonly progress: ModelProgress | undefined;
}

function show({ tensors, progress }: Arrived): void {
  if (progress === undefined) return;
  const { totalBytes, quality } = progress;
  const bytes = headerBytes + progress.bytes;
  element('progress', HTMLProgressElement).value = bytes / (headerBytes + totalBytes);
  element('bytes', HTMLElement).textContent = percent(bytes / WHOLE_SIZE);
  element('quality', HTMLElement).textContent = quality.toFixed(4);
  // The model computes only once something of every tensor has arrived.
  if (tensors.size < progress.tensors) return;
  layers = layersOf(tensors);
  const right = accuracy(layers, samples);
  element('accuracy', HTMLElement).textContent = percent(right);
  chart.add({ bytes, quality, accuracy: right });
  grid.show((image) => classify(layers, image));
  guess();
}

function guess(): void {
  const { image } = pad;
  const known = image !== undefined && layers.length > 0;
  element('guess', HTMLElement).textContent = known ? String(classify(layers, image)) : '–';
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
