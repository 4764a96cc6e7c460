import { type Sample, SIDE } from '../../digits/render.js';
import { make } from '../element.js';

/** Images of digits, each with what a model takes it for. */
export class DigitRow {
  readonly #parent: HTMLElement;
  readonly #cells: { readonly cell: HTMLElement; readonly label: number; readonly answer: HTMLElement }[] =
    [];

  constructor(parent: HTMLElement, samples: readonly Sample[] = []) {
    this.#parent = parent;
    this.add(samples);
  }

  add(samples: readonly Sample[]): void {
    for (const { image, label } of samples) {
      const cell = make('li', 'digit');
      const answer = make('span', 'answer', '–');
      cell.append(imageCanvas(image, label), answer);
      this.#parent.append(cell);
      this.#cells.push({ cell, label, answer });
    }
  }

  /** Answers in the order of the images; none while the model does not compute yet. */
  show(answers: readonly number[]): void {
    for (const [i, { cell, label, answer }] of this.#cells.entries()) {
      const digit = answers[i];
      const state = digit === undefined ? '' : digit === label ? ' right' : ' wrong';
      const text = digit === undefined ? '–' : String(digit);
      if (answer.textContent === text && cell.className === `digit${state}`) continue;
      cell.className = `digit${state}`;
      answer.textContent = text;
      answer.title = state === ' wrong' ? `wrong: it is a ${label}` : '';
    }
  }
}

/** Ink on nothing: the style turns it over where pages are dark. */
function imageCanvas(image: Float32Array, label: number): HTMLCanvasElement {
  const canvas = make('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `a drawn ${label}`);
  const context = canvas.getContext('2d')!;
  const pixels = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < image.length; i++) pixels.data[4 * i + 3] = 255 * image[i]!;
  context.putImageData(pixels, 0, 0);
  return canvas;
}
