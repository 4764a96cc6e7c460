import type { Sample } from '../../digits/render.js';
import { element } from '../element.js';
import { type Lane, lastStep, partOf } from '../racer/lane.js';
import { bytes, percent, seconds } from '../text.js';
import { DigitRow } from './digits.js';

/** One side of the race: its digits, its bytes, and the moment from which it was right. */
export class LaneView {
  readonly #digits: DigitRow;
  readonly #bar: HTMLElement;
  readonly #flag: HTMLElement;
  readonly #figures: HTMLElement;
  readonly #verdict: HTMLElement;
  readonly #lane: HTMLElement;

  /** @param name of the lane: `holo` or `plain` */
  constructor(name: string, samples: readonly Sample[]) {
    this.#lane = element(name, HTMLElement);
    this.#digits = new DigitRow(element(`${name}-digits`, HTMLElement), samples);
    this.#bar = element(`${name}-bar`, HTMLElement);
    this.#flag = element(`${name}-flag`, HTMLElement);
    this.#figures = element(`${name}-figures`, HTMLElement);
    this.#verdict = element(`${name}-verdict`, HTMLElement);
  }

  draw(lane: Lane): void {
    const { received, time, right } = lane;
    const part = partOf(lane, received);
    this.#bar.style.transform = `scaleX(${part})`;
    this.#lane.classList.toggle('is-right', right !== undefined);
    const step = lastStep(lane);
    this.#digits.show(step?.answers ?? []);
    this.#figures.textContent = figures(lane);
    this.#flag.hidden = right === undefined;
    if (right !== undefined) this.#flag.style.left = `${100 * partOf(lane, right.received)}%`;
    this.#verdict.textContent =
      right === undefined ? waitingText(lane) : `right after ${seconds(right.time)}`;
    this.#verdict.dataset.time = String(Math.round(time));
  }
}

/** How much has come, and what it is good for. */
function figures(lane: Lane): string {
  const { received, weightBytes, fileSize, status } = lane;
  if (weightBytes === 0) return '';
  const accuracy = lastStep(lane)?.accuracy;
  const right = accuracy === undefined ? '' : ` · ${percent(accuracy)} right`;
  if (status === 'done') {
    // A model file is smaller than its weights.
    const saved = fileSize < weightBytes ? `, ${percent(1 - fileSize / weightBytes, 0)} fewer bytes` : '';
    return `complete: ${bytes(fileSize)}${saved}${right}`;
  }
  return `${bytes(received)} of ${bytes(weightBytes)} · ${percent(partOf(lane, received))}${right}`;
}

function waitingText({ status, time, message }: Lane): string {
  switch (status) {
    case 'failed':
      return message;
    case 'cancelled':
      return 'cancelled';
    case 'paused':
      return `paused at ${seconds(time)}`;
    case 'cut':
      return `connection lost at ${seconds(time)}`;
    default:
      return time === 0 ? 'waiting' : `no answer yet · ${seconds(time)}`;
  }
}
