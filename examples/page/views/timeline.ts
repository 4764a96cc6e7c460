import { round } from '../drawing/curve.js';
import { linear, type Scale } from '../drawing/scale.js';
import { element, shape } from '../element.js';
import type { Lane } from '../racer/lane.js';
import { seconds } from '../text.js';

const ROW = 28;
const AXIS = 22;
/** Rows of a model with more tensors are drawn closer. */
const MOST_HEIGHT = 240;
/** Lowest rows with a line each. */
const LEAST_RULED = 5;
/** Degrees of darkness: a path for each, because a large model has thousands of fragments. */
const DEGREES = 4;

/** When each fragment came: a row per tensor, a tick per fragment, as dark as the tensor was good. */
export class Timeline {
  readonly #svg = element('timeline', SVGSVGElement);
  #before = '';

  draw({ tensors, marks, time, right }: Lane): void {
    const width = this.#svg.clientWidth;
    const key = `${width} ${tensors.length} ${marks.length} ${Math.round(time / 100)} ${right?.time}`;
    if (key === this.#before || tensors.length === 0 || width === 0) return;
    this.#before = key;
    const row = Math.min(ROW, MOST_HEIGHT / tensors.length);
    const height = row * tensors.length;
    const end = Math.max(1000, time);
    const x = linear(0, end, 2, width - 2);
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height + AXIS}`);
    this.#svg.setAttribute('aria-label', `${marks.length} fragments in ${seconds(end)}`);
    // Closer lines would be a surface.
    const lines = row < LEAST_RULED ? [] : tensors.map((_, i) => `M0 ${round((i + 0.5) * row)}H${width}`);
    const at = right === undefined ? undefined : round(x(right.time));
    this.#svg.replaceChildren(
      shape('path', { class: 'grid', d: lines.join('') }),
      ...ticks(tensors, marks, row, x).map((d, degree) =>
        shape('path', { class: 'fragment', d, 'stroke-opacity': (degree + 1) / DEGREES }),
      ),
      ...(at === undefined ? [] : [shape('path', { class: 'mark', d: `M${at} 0V${round(height)}` })]),
      shape('text', { x: 0, y: height + 16 }, '0 s'),
      shape('text', { x: width, y: height + 16, 'text-anchor': 'end' }, seconds(end)),
    );
  }
}

/** The fragments of each degree, as the `d` of a path. */
function ticks(tensors: Lane['tensors'], marks: Lane['marks'], row: number, x: Scale): string[] {
  const tops = new Map(tensors.map(({ name }, i) => [name, round((i + 0.12) * row)]));
  const length = round(row * 0.76);
  const paths = Array.from({ length: DEGREES }, (): string[] => []);
  for (const { tensor, time, quality } of marks) {
    const degree = Math.min(DEGREES - 1, Math.floor(quality * DEGREES));
    paths[degree]!.push(`M${round(x(time))} ${tops.get(tensor)!}v${length}`);
  }
  return paths.map((parts) => parts.join(''));
}
