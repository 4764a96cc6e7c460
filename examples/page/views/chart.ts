import { linePath, type Point, round, settledAt } from '../drawing/curve.js';
import { linear, logarithmic, type Scale } from '../drawing/scale.js';
import { element, shape } from '../element.js';
import { type Lane, partOf, RIGHT } from '../racer/lane.js';
import { percent } from '../text.js';

const HEIGHT = 300;
const MARGIN = { left: 36, right: 16, top: 12, bottom: 44 } as const;
/** The axis of bytes is logarithmic: what happens in the first tenth is what this is about. */
const FIRST = 0.01;
const TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

const y = linear(0, 1, HEIGHT - MARGIN.bottom, MARGIN.top);

/** Accuracy and quality over bytes. */
export class Chart {
  readonly #svg = element('chart', SVGSVGElement);
  readonly #note = element('chart-note', HTMLElement);
  #before = '';

  draw(holo: Lane, plain: Lane): void {
    const width = this.#svg.clientWidth;
    const key = `${width} ${holo.steps.length} ${plain.steps.length}`;
    if (key === this.#before || width === 0) return;
    this.#before = key;
    const x = logarithmic(FIRST, 1, MARGIN.left, width - MARGIN.right);
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    const accuracy = pointsOf(holo, ({ accuracy: right }) => right);
    const quality = pointsOf(holo, ({ quality: cosine }) => cosine);
    const whole = pointsOf(plain, ({ accuracy: right }) => right);
    const settled = settledAt(accuracy, RIGHT);
    this.#svg.replaceChildren(
      ...axes(x, width - MARGIN.right),
      ...curve('quality', quality, x),
      ...curve('plain', whole, x),
      ...curve('accuracy', accuracy, x),
      ...(settled === undefined ? [] : mark(settled, x)),
    );
    this.#note.textContent =
      settled === undefined
        ? 'Each dot is the model after one more fragment.'
        : `95 % right at ${percent(settled[0])} of the bytes. The plain file is right at ${percent(whole.at(-1)?.[0] ?? 1, 0)}.`;
  }
}

function pointsOf(lane: Lane, pick: (step: Lane['steps'][number]) => number | undefined): Point[] {
  return lane.steps.flatMap((step): Point[] => {
    const value = pick(step);
    return value === undefined ? [] : [[partOf(lane, step.bytes), value]];
  });
}

function axes(x: Scale, right: number): SVGElement[] {
  const bottom = HEIGHT - MARGIN.bottom;
  return [
    ...[0, 0.25, 0.5, 0.75, 1].map((value) =>
      shape('line', { class: 'grid', x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
    ),
    ...[0, 0.5, 1].map((value) =>
      shape('text', { x: MARGIN.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, String(value)),
    ),
    ...TICKS.map((value) =>
      shape('text', { x: round(x(value)), y: bottom + 18, 'text-anchor': 'middle' }, String(100 * value)),
    ),
    shape('text', { x: right, y: HEIGHT - 6, 'text-anchor': 'end', class: 'axis' }, '% of the bytes'),
    shape('line', { class: 'limit', x1: MARGIN.left, x2: right, y1: y(RIGHT), y2: y(RIGHT) }),
  ];
}

/** Dots, too: one alone must be seen. */
function curve(name: string, points: readonly Point[], x: Scale): SVGElement[] {
  return [
    shape('path', { class: `curve ${name}`, d: linePath(points, x, y) }),
    ...points.map(([a, b]) => shape('circle', { class: name, cx: round(x(a)), cy: round(y(b)), r: 2.5 })),
  ];
}

function mark([part, value]: Point, x: Scale): SVGElement[] {
  const [left, top] = [round(x(part)), round(y(value))];
  return [
    shape('line', { class: 'mark', x1: left, x2: left, y1: top, y2: HEIGHT - MARGIN.bottom }),
    shape('circle', { class: 'mark', cx: left, cy: top, r: 5 }),
    shape(
      'text',
      { class: 'mark', x: left + 10, y: HEIGHT - MARGIN.bottom - 12 },
      `95 % right at ${percent(part)}`,
    ),
  ];
}
