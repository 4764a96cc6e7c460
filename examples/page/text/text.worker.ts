/** The worker of the text panel: loads the recogniser, and reads lines with what it had at several moments. */
import { httpSource, type Model, openModel } from 'holostream';
import { SimulatedConnection } from '../network/connection.js';
import { graphWith, readClasses } from './graph.js';
import { type GraphPlaces, PARTS, type Picture, type TextEvent, type TextRequest } from './protocol.js';

const LINE_HEIGHT = 48;
const LATENCY = 60;
/** Halvings of the range of qualities in which the one is sought that a number of bytes brings. */
const HALVINGS = 24;
/** A module with nothing in it. */
const EMPTY_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

declare function postMessage(event: TextEvent): void;

interface OrtTensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
}

/** What of onnxruntime-web is used. */
interface Ort {
  readonly env: { readonly wasm: { numThreads: number } };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
}

let ort: Ort;
let characters: readonly string[];
/** With the weights after each part of the bytes. */
const sessions: OrtSession[] = [];
let picture: Picture | undefined;
let isReading = false;

async function start(base: string, rate: number): Promise<void> {
  assertWasm();
  const get = async (name: string) => {
    const response = await fetch(new URL(name, base));
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return response;
  };
  const began = performance.now();
  const [module, places, others, keys] = await Promise.all([
    import(new URL('ort.wasm.min.mjs', base).href) as Promise<Ort>,
    get('text.graph.json').then((response) => response.json() as Promise<GraphPlaces>),
    get('text.graph.bin').then((response) => response.arrayBuffer()),
    get('text.keys.txt').then((response) => response.text()),
  ]);
  ort = module;
  ort.env.wasm.numThreads = 1;
  // Class 0 is the blank of CTC, the last one is a space.
  characters = ['', ...keys.trimEnd().split(/\r?\n/), ' '];
  let received = 0;
  let weightBytes = 0;
  const onBytes = (bytes: number) => {
    received += bytes;
    postMessage({ type: 'received', bytes: received, weightBytes });
  };
  const { fetch: paced } = new SimulatedConnection({ rate, latency: LATENCY, onBytes });
  const source = httpSource(new URL('text.holo.safetensors', base), { fetch: paced });
  await using model = await openModel(source);
  weightBytes = model.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  for (const [number, part] of PARTS.entries()) {
    const position = source.size! - model.plannedBytes();
    const loaded = await model.load({ quality: qualityFor(model, part * weightBytes - position) });
    const bytes = source.size! - model.plannedBytes();
    const file = graphWith(places, new Uint8Array(others), loaded);
    sessions[number] = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
    postMessage({ type: 'part', number, bytes, part: bytes / weightBytes, time: performance.now() - began });
    await read(number);
  }
}

function assertWasm(): void {
  try {
    new WebAssembly.Module(EMPTY_MODULE);
  } catch {
    throw new Error(
      'This browser, or the content policy of this page, has no WebAssembly, and onnxruntime-web cannot do without it. holostream can: the race above runs on its portable kernels.',
    );
  }
}

/** The highest quality that a load of n bytes brings. */
function qualityFor(model: Model, bytes: number): number {
  if (model.plannedBytes() <= bytes) return 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (model.plannedBytes({ quality: middle }) <= bytes) low = middle;
    else high = middle;
  }
  return low;
}

async function read(number: number): Promise<void> {
  const session = sessions[number];
  const line = picture;
  if (session === undefined || line === undefined) return;
  const input = new ort.Tensor('float32', line.data, [1, 3, LINE_HEIGHT, line.width]);
  const output = await session.run({ [session.inputNames[0]!]: input });
  const { dims, data } = output[session.outputNames[0]!]!;
  postMessage({ type: 'text', number, text: readClasses(data, dims[2]!, characters) });
}

/** Reads the latest line with all sessions; one that came meanwhile, too. */
async function readAll(): Promise<void> {
  if (isReading) return;
  isReading = true;
  let done: Picture | undefined;
  while (done !== picture) {
    done = picture;
    for (let number = 0; number < sessions.length && done === picture; number++) await read(number);
  }
  isReading = false;
}

function fail(error: unknown): void {
  postMessage({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}

addEventListener('message', ({ data }: MessageEvent<TextRequest>) => {
  if (data.type === 'start') start(data.base, data.rate).catch(fail);
  else {
    picture = data.picture;
    readAll().catch(fail);
  }
});
