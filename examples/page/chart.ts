export interface ChartPoint {
  readonly bytes: number;
  readonly quality: number;
  readonly accuracy: number;
}

const WIDTH = 300;
const HEIGHT = 190;

/** Two lines against bytes, from 0 to 1. */
export class Chart {
  readonly #svg: SVGSVGElement;
  readonly #maxBytes: number;
  readonly #lines: { readonly quality: SVGElement; readonly accuracy: SVGElement };
  #points: ChartPoint[] = [];

  constructor(svg: SVGSVGElement, maxBytes: number) {
    this.#svg = svg;
    this.#maxBytes = maxBytes;
    for (const fraction of [0, 0.5, 1]) {
      const y = HEIGHT * (1 - fraction);
      this.#draw('line', { x1: 0, x2: WIDTH, y1: y, y2: y, class: 'grid' });
      this.#draw('text', { x: -6, y: y + 4, 'text-anchor': 'end' }).textContent = String(fraction);
    }
    for (const fraction of [0, 0.5, 1]) {
      const label = this.#draw('text', { x: WIDTH * fraction, y: HEIGHT + 18, 'text-anchor': 'middle' });
      label.textContent = `${100 * fraction} %`;
    }
    this.#lines = {
      quality: this.#draw('polyline', { class: 'quality' }),
      accuracy: this.#draw('polyline', { class: 'accuracy' }),
    };
  }

  add(point: ChartPoint): void {
    this.#points.push(point);
    this.#update();
  }

  clear(): void {
    this.#points = [];
    this.#update();
  }

  #update(): void {
    for (const name of ['quality', 'accuracy'] as const) {
      const points = this.#points.map((point) => {
        const x = (WIDTH * point.bytes) / this.#maxBytes;
        return `${x.toFixed(1)},${(HEIGHT * (1 - point[name])).toFixed(1)}`;
      });
      this.#lines[name].setAttribute('points', points.join(' '));
    }
  }

  #draw(name: 'line' | 'text' | 'polyline', attributes: Record<string, string | number>): SVGElement {
    const shape = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value));
    this.#svg.append(shape);
    return shape;
  }
}
