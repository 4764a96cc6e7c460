import { round } from '../drawing/curve.js';
import { linear } from '../drawing/scale.js';
import { element, shape } from '../element.js';
import type { Lane } from '../racer/lane.js';
import { seconds } from '../text.js';

const ROW = 28;
const AXIS = 22;
/** Rows of a model with more tensors are drawn closer. */
const MOST_HEIGHT = 240;

/** When each fragment came: a row per tensor, a tick per fragment, as dark as the tensor was good. */
export class Timeline {
  readonly #svg = element('timeline', SVGSVGElement);
  #before = '';

  draw({ tensors, marks, time, right }: Lane): void {
    const width = this.#svg.clientWidth;
    const key = `${width} ${tensors.length} ${marks.length} ${Math.round(time / 100)} ${right?.time}`;
    if (key === this.#before || tensors.length === 0 || width === 0) return;
    this.#before = key;
    const rows = new Map(tensors.map(({ name }, i) => [name, i]));
    const row = Math.min(ROW, MOST_HEIGHT / tensors.length);
    const height = row * tensors.length;
    const end = Math.max(1000, time);
    const x = linear(0, end, 0, width - 4);
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height + AXIS}`);
    this.#svg.setAttribute('aria-label', `${marks.length} fragments in ${seconds(time)}`);
    this.#svg.replaceChildren(
      ...tensors.map((_, i) =>
        shape('line', { class: 'grid', x1: 0, x2: width, y1: (i + 0.5) * row, y2: (i + 0.5) * row }),
      ),
      ...marks.map(({ tensor, time: at, quality }) =>
        shape('rect', {
          class: 'fragment',
          x: round(x(at)),
          y: round(rows.get(tensor)! * row + row * 0.12),
          width: 4,
          height: round(row * 0.76),
          rx: Math.min(2, row / 4),
          'fill-opacity': round(0.25 + 0.75 * quality),
        }),
      ),
      ...(right === undefined
        ? []
        : [
            shape('line', {
              class: 'mark',
              x1: round(x(right.time)),
              x2: round(x(right.time)),
              y1: 0,
              y2: height,
            }),
          ]),
      shape('text', { x: 0, y: height + 16 }, '0 s'),
      shape('text', { x: width, y: height + 16, 'text-anchor': 'end' }, seconds(end)),
    );
  }
}
