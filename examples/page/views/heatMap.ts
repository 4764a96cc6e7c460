import { DARK, LIGHT, pixelsOf } from '../drawing/colours.js';
import { element, make, shape } from '../element.js';
import type { View, ViewRequest } from '../racer/protocol.js';
import { percent } from '../text.js';

const HISTOGRAM = { width: 305, height: 60 } as const;
/** How far an arrow key moves, as a part of what is seen. */
const KEY_STEP = 0.25;

/** A tensor as a picture: cells coloured by value, its histogram, and how far it is from the final one. */
export class HeatMap {
  /** What to show next; the worker answers with a view. */
  readonly #ask: (request: ViewRequest) => void;
  readonly #canvas = element('heat', HTMLCanvasElement);
  readonly #histogram = element('histogram', SVGSVGElement);
  readonly #text = element('heat-text', HTMLElement);
  readonly #zoom = element('zoom', HTMLSelectElement);
  readonly #step = element('heat-step', HTMLInputElement);
  readonly #shows = element('heat-error', HTMLInputElement);
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  #tensor: string | undefined;
  #left = 0;
  #top = 0;
  #waiting = false;
  #again = false;
  #view: View | undefined;
  #steps = 0;
  #complete = false;

  constructor(ask: (request: ViewRequest) => void) {
    this.#ask = ask;
    for (const control of [this.#zoom, this.#step, this.#shows]) {
      control.addEventListener('input', () => this.refresh());
    }
    this.#dark.addEventListener('change', () => this.#paint());
    this.#canvas.addEventListener('keydown', (event) => this.#move(event));
    this.#canvas.addEventListener('pointerdown', (event) => this.#drag(event));
    this.#histogram.setAttribute('viewBox', `0 0 ${HISTOGRAM.width} ${HISTOGRAM.height}`);
  }

  get zoom(): number {
    return Number(this.#zoom.value);
  }

  set zoom(zoom: number) {
    this.#zoom.value = String(zoom);
  }

  /** A new load: nothing is known of its tensors. */
  reset(): void {
    this.#waiting = false;
    this.#again = false;
    this.#steps = 0;
    this.#complete = false;
    this.#step.disabled = true;
    this.#shows.disabled = true;
    this.#shows.checked = false;
  }

  choose(tensor: string | undefined): void {
    if (tensor === this.#tensor) return;
    this.#tensor = tensor;
    [this.#left, this.#top] = [0, 0];
    this.refresh();
  }

  /** After a step of the load. Once it is complete, earlier steps can be compared with the final one. */
  stepped(steps: number, complete: boolean): void {
    if (steps === this.#steps && complete === this.#complete) return;
    this.#steps = steps;
    this.#complete = complete;
    this.#step.max = String(Math.max(0, steps - 1));
    this.#step.value = this.#step.max;
    this.#step.disabled = !complete;
    this.#shows.disabled = !complete;
    this.refresh();
  }

  /** Asks for the view; at most one request is under way. */
  refresh(): void {
    if (this.#tensor === undefined || this.#steps === 0) return;
    this.#again = this.#waiting;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#ask({
      type: 'view',
      tensor: this.#tensor,
      left: this.#left,
      top: this.#top,
      zoom: this.zoom,
      ...(this.#complete && { step: Number(this.#step.value) }),
      shows: this.#shows.checked ? 'error' : 'values',
    });
  }

  show(view: View): void {
    this.#waiting = false;
    this.#view = view;
    this.#paint();
    if (this.#again) this.refresh();
  }

  #paint(): void {
    const view = this.#view;
    if (view === undefined) return;
    const { columns, rows, cells, range } = view;
    this.#canvas.width = columns;
    this.#canvas.height = rows;
    const pixels = pixelsOf(cells, range, this.#dark.matches ? DARK : LIGHT);
    this.#canvas.getContext('2d')!.putImageData(new ImageData(pixels, columns, rows), 0, 0);
    this.#drawHistogram(view);
    const difference = this.#complete
      ? `differs from the final tensor by ${percent(view.error)}`
      : 'not complete yet';
    this.#text.textContent = `${view.tensor}, colours to ±${range.toPrecision(2)}; ${difference}`;
    this.#canvas.setAttribute(
      'aria-label',
      `Heat map of ${this.#text.textContent}. Arrow keys move it when zoomed.`,
    );
  }

  #drawHistogram({ counts, range }: View): void {
    const width = HISTOGRAM.width / counts.length;
    // The root: bins with few elements are seen, too.
    const highest = Math.sqrt(counts.reduce((most, count) => Math.max(most, count), 1));
    this.#histogram.replaceChildren(
      ...counts.map((count, i) => {
        const height = (HISTOGRAM.height * Math.sqrt(count)) / highest;
        return shape('rect', { x: i * width, y: HISTOGRAM.height - height, width: width - 1, height });
      }),
    );
    this.#histogram.setAttribute(
      'aria-label',
      `Histogram of the elements, from −${range.toPrecision(2)} to ${range.toPrecision(2)}`,
    );
  }

  #move(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    this.#moveBy((move[0] * KEY_STEP) / this.zoom, (move[1] * KEY_STEP) / this.zoom);
  }

  #drag(event: PointerEvent): void {
    this.#canvas.setPointerCapture(event.pointerId);
    let [x, y] = [event.clientX, event.clientY];
    const onMove = ({ clientX, clientY }: PointerEvent) => {
      const { width, height } = this.#canvas.getBoundingClientRect();
      this.#moveBy((x - clientX) / width / this.zoom, (y - clientY) / height / this.zoom);
      [x, y] = [clientX, clientY];
    };
    this.#canvas.addEventListener('pointermove', onMove);
    this.#canvas.addEventListener(
      'lostpointercapture',
      () => this.#canvas.removeEventListener('pointermove', onMove),
      { once: true },
    );
  }

  #moveBy(right: number, down: number): void {
    const most = 1 - 1 / this.zoom;
    this.#left = Math.min(most, Math.max(0, this.#left + right));
    this.#top = Math.min(most, Math.max(0, this.#top + down));
    this.refresh();
  }
}

/** The options of the list of zooms. */
export function zoomOptions(zooms: readonly number[]): HTMLOptionElement[] {
  return zooms.map((zoom) => {
    const option = make('option', '', `${zoom}×`);
    option.value = String(zoom);
    return option;
  });
}
