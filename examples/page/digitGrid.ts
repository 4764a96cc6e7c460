import { type Sample, SIDE } from '../digits/render.js';

/** Images, each with the digit that the model predicts. */
export class DigitGrid {
  readonly #cells: readonly { readonly sample: Sample; readonly answer: HTMLElement }[];

  constructor(parent: HTMLElement, samples: readonly Sample[]) {
    this.#cells = samples.map((sample) => {
      const answer = document.createElement('div');
      const cell = document.createElement('div');
      cell.append(imageCanvas(sample.image), answer);
      parent.append(cell);
      return { sample, answer };
    });
    this.clear();
  }

  show(classify: (image: Float32Array) => number): void {
    for (const { sample, answer } of this.#cells) {
      const digit = classify(sample.image);
      answer.textContent = String(digit);
      answer.className = digit === sample.label ? 'right' : 'wrong';
    }
  }

  clear(): void {
    for (const { answer } of this.#cells) {
      answer.textContent = '–';
      answer.className = '';
    }
  }
}

function imageCanvas(image: Float32Array): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d')!;
  const pixels = context.createImageData(SIDE, SIDE);
  for (const [i, ink] of image.entries()) pixels.data.set([255 * ink, 255 * ink, 255 * ink, 255], 4 * i);
  context.putImageData(pixels, 0, 0);
  return canvas;
}
