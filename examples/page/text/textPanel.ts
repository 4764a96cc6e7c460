import { element, make } from '../element.js';
import { bytes, percent, rate as rateText, seconds } from '../text.js';
import { PARTS, type Picture, type TextEvent, type TextRequest } from './protocol.js';

const LINE_HEIGHT = 48;
const FONT = '30px sans-serif';
const MARGIN = 14;
/** Bytes per second: the model is 20 times as large as that of the race. */
const RATE = 1_000_000;
/** After the last key, in ms. */
const REST_MS = 250;

/** A line of text that is typed, and what a recogniser reads after parts of its bytes. */
export class TextPanel {
  readonly #input = element('line', HTMLInputElement);
  readonly #canvas = element('line-picture', HTMLCanvasElement);
  readonly #start = element('text-start', HTMLButtonElement);
  readonly #status = element('text-status', HTMLOutputElement);
  readonly #rows: readonly {
    readonly row: HTMLElement;
    readonly part: HTMLElement;
    readonly text: HTMLElement;
  }[];
  #worker: Worker | undefined;
  #timer = 0;

  constructor(line: string | undefined) {
    if (line !== undefined) this.#input.value = line;
    const list = element('readings', HTMLElement);
    this.#rows = PARTS.map((part) => {
      const row = make('li');
      const [name, text] = [make('span', 'part', percent(part, 0)), make('span', 'text', '–')];
      row.append(name, text);
      list.append(row);
      return { row, part: name, text };
    });
    this.#start.textContent = `Load the recogniser at ${rateText(RATE)}`;
    this.#start.addEventListener('click', () => this.#load());
    this.#input.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#send(), REST_MS);
    });
    this.#draw();
  }

  get line(): string {
    return this.#input.value;
  }

  #load(): void {
    this.#start.disabled = true;
    const worker = new Worker(new URL('text.worker.js', import.meta.url), { type: 'module' });
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<TextEvent>) => this.#on(data));
    worker.addEventListener('error', () => this.#fail('Its worker did not start.'));
    this.#post({ type: 'start', base: new URL('.', import.meta.url).href, rate: RATE });
    this.#status.value = 'Fetching onnxruntime-web …';
    this.#send();
  }

  #on(event: TextEvent): void {
    switch (event.type) {
      case 'received':
        if (event.weightBytes > 0 && !this.#rows.at(-1)!.row.classList.contains('known'))
          this.#status.value = `${bytes(event.bytes)} of ${bytes(event.weightBytes)}`;
        break;
      case 'part': {
        const { row, part } = this.#rows[event.number]!;
        row.classList.add('known');
        part.textContent = `${percent(event.part)}, ${seconds(event.time)}`;
        break;
      }
      case 'text':
        this.#rows[event.number]!.text.textContent = event.text.trim() || '(nothing)';
        if (event.number === PARTS.length - 1) this.#status.value = 'Complete: type another line.';
        break;
      case 'failed':
        this.#fail(event.message);
    }
  }

  #fail(message: string): void {
    this.#status.value = message;
    this.#worker?.terminate();
    this.#start.disabled = false;
  }

  #send(): void {
    const picture = this.#draw();
    this.#post({ type: 'line', picture });
  }

  #post(request: TextRequest): void {
    this.#worker?.postMessage(request);
  }

  /** Black on white, as tall as the network takes it. */
  #draw(): Picture {
    const canvas = this.#canvas;
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.font = FONT;
    const width = Math.ceil(context.measureText(this.line).width) + 2 * MARGIN;
    canvas.width = width;
    canvas.height = LINE_HEIGHT;
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, LINE_HEIGHT);
    context.fillStyle = '#000';
    context.font = FONT;
    context.textBaseline = 'middle';
    context.fillText(this.line, MARGIN, LINE_HEIGHT / 2 + 1);
    canvas.setAttribute('aria-label', `The line as a picture: ${this.line}`);
    const pixels = context.getImageData(0, 0, width, LINE_HEIGHT).data;
    const size = width * LINE_HEIGHT;
    const data = new Float32Array(3 * size);
    for (let channel = 0; channel < 3; channel++) {
      for (let i = 0; i < size; i++) data[channel * size + i] = pixels[4 * i + 2 - channel]! / 127.5 - 1;
    }
    return { data, width };
  }
}
