import { fromEvent, map, merge, type Observable, switchMap, takeUntil, tap } from 'rxjs';
import { PIXELS, SIDE } from '../digits/render.js';

/** Width of the pen as a part of the pad: about as in the digits that the model was trained on. */
const PEN = 0.09;

/** A canvas to draw a digit on, and the input that the model sees. */
export class DrawingPad {
  /** Emits when the drawing has changed. */
  readonly image$: Observable<void>;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #empty = true;

  constructor(canvas: HTMLCanvasElement, clear: HTMLButtonElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { willReadFrequently: true })!;
    Object.assign(this.#context, {
      strokeStyle: '#fff',
      lineWidth: PEN * canvas.width,
      lineCap: 'round',
      lineJoin: 'round',
    });
    const move = fromEvent<PointerEvent>(canvas, 'pointermove');
    const up = merge(fromEvent(canvas, 'pointerup'), fromEvent(canvas, 'pointercancel'));
    const strokes = fromEvent<PointerEvent>(canvas, 'pointerdown').pipe(
      tap((event) => {
        canvas.setPointerCapture(event.pointerId);
        this.#context.beginPath();
        this.#lineTo(event);
      }),
      switchMap(() => move.pipe(takeUntil(up))),
      tap((event) => this.#lineTo(event)),
    );
    const clears = fromEvent(clear, 'click').pipe(tap(() => this.#clear()));
    this.image$ = merge(strokes, clears).pipe(map(() => undefined));
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
        // The canvas is transparent where nothing was drawn, so its red is 0.
        image[pixel]! += data[4 * (y * width + x)]! / (255 * cell * cell);
      }
    }
    return image;
  }

  #lineTo({ offsetX, offsetY }: PointerEvent): void {
    this.#empty = false;
    this.#context.lineTo(offsetX, offsetY);
    this.#context.stroke();
  }

  #clear(): void {
    this.#empty = true;
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }
}
