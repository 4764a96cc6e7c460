import { linePath, type Point, round, settledAt } from '../drawing/curve.js';
import { linear, logarithmic, type Scale } from '../drawing/scale.js';
import { element, shape } from '../element.js';
import { type Lane, partOf, RIGHT } from '../racer/lane.js';
import { MEASURES, percent, similarity } from '../text.js';

const LEAST_HEIGHT = 300;
const MARGIN = { left: 46, right: 22, top: 14, bottom: 30 } as const;
/** The axis of bytes is logarithmic: what happens in the first tenth is what this is about. */
const FIRST = 0.005;
const TICKS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
/** Where there is little room. */
const FEW_TICKS = [0.01, 0.1, 1];
/** The cosine similarity that is marked where there is no accuracy. */
const GOOD = 0.99;
/** Room for the name of a tick, in pixels. */
const TICK_WIDTH = 44;

/** Where things are in the picture. */
interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  readonly right: number;
  readonly bottom: number;
}

/** From which point on it is good, and what to say of that. */
interface Good {
  readonly point: Point;
  readonly text: string;
}

/** Accuracy and quality over bytes. A pointer or arrow keys go from state to state, and the note says what each was. */
export class Chart {
  readonly #svg = element('chart', SVGSVGElement);
  readonly #note = element('chart-note', HTMLElement);
  readonly #key = element('chart-key', HTMLElement);
  #before = '';
  #lane: Lane | undefined;
  #plain: Lane | undefined;
  #frame: Frame | undefined;
  #good: Good | undefined;
  /** The state that is looked at. */
  #chosen: number | undefined;

  constructor() {
    this.#svg.tabIndex = 0;
    this.#svg.addEventListener('pointermove', ({ offsetX }) => this.#choose(this.#nearest(offsetX)));
    this.#svg.addEventListener('pointerleave', () => this.#choose(undefined));
    this.#svg.addEventListener('blur', () => this.#choose(undefined));
    this.#svg.addEventListener('keydown', (event) => this.#step(event));
  }

  /** @param plain beside the lane, where that is in a race with it */
  draw(lane: Lane, plain: Lane | undefined): void {
    const { clientWidth: width, clientHeight } = this.#svg;
    const height = Math.max(LEAST_HEIGHT, clientHeight);
    const key = [width, height, lane.measure, lane.steps.length, plain?.steps.length, this.#chosen].join(' ');
    if ((key === this.#before && lane.tensors === this.#lane?.tensors) || width === 0) return;
    this.#before = key;
    [this.#lane, this.#plain] = [lane, plain];
    const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
    const frame = {
      x: logarithmic(FIRST, 1, MARGIN.left, right),
      y: linear(0, 1, bottom, MARGIN.top),
      right,
      bottom,
    };
    this.#frame = frame;
    const accuracy = pointsOf(lane, ({ accuracy: part }) => part);
    const quality = pointsOf(lane, ({ quality: value }) => value);
    this.#good = goodFrom(accuracy, quality, lane);
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(
      ...axes(frame, plain !== undefined),
      ...(plain === undefined ? [] : plainCurve(plain, frame)),
      ...curve(
        'quality',
        pointsOf(lane, ({ quality }) => quality),
        frame,
      ),
      ...curve('accuracy', accuracy, frame),
      ...(this.#good === undefined ? [] : mark(this.#good, frame)),
      ...this.#cursor(frame),
    );
    this.#key.querySelector('.quality')!.textContent = MEASURES[lane.measure];
    for (const name of ['.accuracy', '.plain'])
      this.#key.querySelector<HTMLElement>(name)!.hidden = plain === undefined;
    this.#note.textContent = this.#sentence();
    this.#svg.setAttribute('aria-label', `What the bytes are worth. ${this.#note.textContent}`);
  }

  #sentence(): string {
    const lane = this.#lane!;
    const step = this.#chosen === undefined ? undefined : lane.steps[this.#chosen];
    if (step !== undefined) {
      const { accuracy, quality, bytes } = step;
      const right = accuracy === undefined ? '' : `${percent(accuracy)} named right, `;
      const value = lane.measure === 'elements' ? percent(quality) : similarity(quality);
      return `At ${percent(partOf(lane, bytes))} of the bytes: ${right}${value} ${MEASURES[lane.measure]}.`;
    }
    if (this.#good !== undefined) {
      const whole = this.#plain?.steps.at(-1);
      const plain = whole && ` The plain file is at ${percent(partOf(this.#plain!, whole.bytes))}.`;
      return `${this.#good.text} of the bytes.${plain ?? ''}`;
    }
    return lane.steps.length === 0 ? 'Nothing has arrived yet.' : 'Each dot is the model after more bytes.';
  }

  #cursor({ x, y, bottom }: Frame): SVGElement[] {
    const lane = this.#lane!;
    const step = this.#chosen === undefined ? undefined : lane.steps[this.#chosen];
    if (step === undefined) return [];
    const at = round(x(partOf(lane, step.bytes)));
    const dots = [step.quality, step.accuracy].filter((value) => value !== undefined);
    return [
      shape('line', { class: 'cursor', x1: at, x2: at, y1: MARGIN.top, y2: bottom }),
      ...dots.map((value) => shape('circle', { class: 'cursor', cx: at, cy: round(y(value)), r: 5 })),
    ];
  }

  #nearest(left: number): number | undefined {
    const [lane, frame] = [this.#lane, this.#frame];
    if (lane === undefined || frame === undefined || lane.steps.length === 0) return undefined;
    const distances = lane.steps.map((step) => Math.abs(frame.x(partOf(lane, step.bytes)) - left));
    return distances.indexOf(Math.min(...distances));
  }

  #step(event: KeyboardEvent): void {
    const last = (this.#lane?.steps.length ?? 0) - 1;
    if (last < 0) return;
    const places: Readonly<Record<string, number>> = {
      ArrowLeft: (this.#chosen ?? last + 1) - 1,
      ArrowRight: (this.#chosen ?? -1) + 1,
      Home: 0,
      End: last,
    };
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    this.#choose(Math.max(0, Math.min(last, place)));
  }

  #choose(step: number | undefined): void {
    if (step === this.#chosen || this.#lane === undefined) return;
    this.#chosen = step;
    this.draw(this.#lane, this.#plain);
  }
}

function pointsOf(lane: Lane, pick: (step: Lane['steps'][number]) => number | undefined): Point[] {
  return lane.steps.flatMap((step): Point[] => {
    const value = pick(step);
    return value === undefined ? [] : [[partOf(lane, step.bytes), value]];
  });
}

function goodFrom(
  accuracy: readonly Point[],
  quality: readonly Point[],
  { measure }: Lane,
): Good | undefined {
  if (accuracy.length === 0 && measure === 'elements') return undefined;
  const [points, level, name] =
    accuracy.length > 0 ? [accuracy, RIGHT, '95 % right'] : [quality, GOOD, `similarity ${GOOD}`];
  const point = settledAt(points, level);
  return point && { point, text: `${name} at ${percent(point[0])}` };
}

function axes({ x, y, right, bottom }: Frame, limit: boolean): SVGElement[] {
  const room = (right - MARGIN.left) / TICK_WIDTH;
  // The names of ticks are not to touch each other.
  const ticks = room >= TICKS.length ? TICKS : FEW_TICKS;
  return [
    ...[0, 0.25, 0.5, 0.75, 1].map((value) =>
      shape('line', { class: 'grid', x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
    ),
    ...[0, 0.5, 1].map((value) =>
      shape('text', { x: MARGIN.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, percent(value)),
    ),
    ...ticks.map((value) =>
      shape(
        'text',
        { x: round(x(value)), y: bottom + 20, 'text-anchor': value === 1 ? 'end' : 'middle' },
        value === 1 ? 'all bytes' : percent(value),
      ),
    ),
    ...(limit
      ? [shape('line', { class: 'limit', x1: MARGIN.left, x2: right, y1: y(RIGHT), y2: y(RIGHT) })]
      : []),
  ];
}

/** Dots, too: one alone must be seen. */
function curve(name: string, points: readonly Point[], { x, y }: Frame): SVGElement[] {
  return [
    shape('path', { class: `curve ${name}`, d: linePath(points, x, y) }),
    ...points.map(([a, b]) => shape('circle', { class: name, cx: round(x(a)), cy: round(y(b)), r: 2.5 })),
  ];
}

/** A plain file names nothing right before its end. */
function plainCurve(plain: Lane, frame: Frame): SVGElement[] {
  const points = pointsOf(plain, ({ accuracy }) => accuracy);
  const end = points[0]?.[0] ?? partOf(plain, plain.received);
  if (end < FIRST) return [];
  const before: Point[] = [
    [FIRST, 0],
    [end, 0],
  ];
  return [
    shape('path', { class: 'curve plain', d: linePath([...before, ...points], frame.x, frame.y) }),
    ...curve('plain', points, frame).slice(1),
  ];
}

function mark({ point: [part, value], text }: Good, { x, y, right, bottom }: Frame): SVGElement[] {
  const [left, top] = [round(x(part)), round(y(value))];
  const isLeft = left < (MARGIN.left + right) / 2;
  return [
    shape('line', { class: 'mark', x1: left, x2: left, y1: top, y2: bottom }),
    shape('circle', { class: 'mark', cx: left, cy: top, r: 5 }),
    shape(
      'text',
      {
        class: 'mark',
        x: left + (isLeft ? 10 : -10),
        y: bottom - 14,
        'text-anchor': isLeft ? 'start' : 'end',
      },
      text,
    ),
  ];
}
