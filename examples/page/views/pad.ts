import { fromEvent, map, merge, type Observable, share, switchMap, takeUntil, tap } from 'rxjs';
import { PIXELS, SIDE } from '../../digits/render.js';
import { element, make } from '../element.js';
import { percent } from '../text.js';

/** Width of the pen as a part of the pad: about as in the digits that the model was trained on. */
const PEN = 0.09;
/** How far an arrow key moves the pen, as a part of the pad. */
const KEY_STEP = 0.05;

/** A canvas to draw a digit on, and the probabilities of all ten classes. */
export class Pad {
  /** Emits when the drawing has changed. */
  readonly changes$: Observable<unknown>;
  readonly #canvas = element('pad', HTMLCanvasElement);
  readonly #context = this.#canvas.getContext('2d', { willReadFrequently: true })!;
  readonly #hint = element('pad-hint', HTMLElement);
  readonly #guess = element('guess', HTMLOutputElement);
  readonly #bars: readonly {
    readonly row: HTMLElement;
    readonly fill: HTMLElement;
    readonly value: HTMLElement;
  }[];
  /** Where the keys have moved the pen to. */
  #pen: readonly [number, number] = [0.5, 0.2];
  #empty = true;

  constructor() {
    const list = element('probabilities', HTMLElement);
    this.#bars = Array.from({ length: 10 }, (_, digit) => {
      const row = make('li');
      const track = make('span', 'track');
      const fill = make('span', 'fill');
      const value = make('span', 'value', '–');
      track.append(fill);
      row.append(make('span', 'digit-name', String(digit)), track, value);
      list.append(row);
      return { row, fill, value };
    });
    Object.assign(this.#context, {
      strokeStyle: '#000',
      lineWidth: PEN * this.#canvas.width,
      lineCap: 'round',
      lineJoin: 'round',
    });
    const clears = fromEvent(element('clear', HTMLButtonElement), 'click').pipe(tap(() => this.#clear()));
    this.changes$ = merge(this.#strokes(), this.#keys(), clears).pipe(share());
  }

  /** The drawing as the model's input; undefined when there is none. */
  get image(): Float32Array | undefined {
    if (this.#empty) return undefined;
    const { width, height } = this.#canvas;
    const { data } = this.#context.getImageData(0, 0, width, height);
    const cell = width / SIDE;
    const image = new Float32Array(PIXELS);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const pixel = Math.floor(y / cell) * SIDE + Math.floor(x / cell);
        // Ink covers what is transparent elsewhere.
        image[pixel]! += data[4 * (y * width + x) + 3]! / (255 * cell * cell);
      }
    }
    return image;
  }

  show(probabilities: Float32Array | undefined): void {
    const known = probabilities !== undefined && !this.#empty;
    const best = known ? probabilities.indexOf(Math.max(...probabilities)) : -1;
    this.#guess.value = best < 0 ? '–' : String(best);
    for (const [digit, { row, fill, value }] of this.#bars.entries()) {
      const probability = known ? probabilities[digit]! : 0;
      fill.style.transform = `scaleX(${probability})`;
      value.textContent = known ? percent(probability, 0) : '–';
      row.classList.toggle('best', digit === best);
    }
  }

  #strokes(): Observable<unknown> {
    const canvas = this.#canvas;
    const move = fromEvent<PointerEvent>(canvas, 'pointermove');
    const up = merge(fromEvent(canvas, 'pointerup'), fromEvent(canvas, 'pointercancel'));
    return fromEvent<PointerEvent>(canvas, 'pointerdown').pipe(
      tap((event) => {
        canvas.setPointerCapture(event.pointerId);
        this.#context.beginPath();
        this.#lineTo(this.#place(event));
      }),
      switchMap(() => move.pipe(takeUntil(up))),
      tap((event) => this.#lineTo(this.#place(event))),
    );
  }

  /** Arrow keys draw, with Shift they move the pen without ink. */
  #keys(): Observable<unknown> {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    return fromEvent<KeyboardEvent>(this.#canvas, 'keydown').pipe(
      map((event) => {
        const move = moves[event.key];
        if (move === undefined) return;
        event.preventDefault();
        const [x, y] = this.#pen;
        const inside = (value: number) => Math.min(0.95, Math.max(0.05, value));
        const to = [inside(x + move[0] * KEY_STEP), inside(y + move[1] * KEY_STEP)] as const;
        if (!event.shiftKey) {
          this.#context.beginPath();
          this.#context.moveTo(x * this.#canvas.width, y * this.#canvas.height);
          this.#lineTo([to[0] * this.#canvas.width, to[1] * this.#canvas.height]);
        }
        this.#pen = to;
      }),
    );
  }

  /** The pad is drawn at its own size, and shown at another. */
  #place({ offsetX, offsetY }: PointerEvent): readonly [number, number] {
    const { clientWidth, clientHeight, width, height } = this.#canvas;
    return [(offsetX * width) / clientWidth, (offsetY * height) / clientHeight];
  }

  #lineTo([x, y]: readonly [number, number]): void {
    this.#empty = false;
    this.#hint.hidden = true;
    this.#context.lineTo(x, y);
    this.#context.stroke();
  }

  #clear(): void {
    this.#empty = true;
    this.#hint.hidden = false;
    this.#pen = [0.5, 0.2];
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.show(undefined);
  }
}
