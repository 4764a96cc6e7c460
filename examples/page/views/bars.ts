import { make } from '../element.js';
import type { Lane } from '../racer/lane.js';
import type { Measure } from '../racer/protocol.js';
import { percent, similarity } from '../text.js';

interface Row {
  /** What it shows, if anything. */
  quality: number | undefined;
  readonly fill: HTMLElement;
  readonly value: HTMLElement;
  readonly button: HTMLElement;
}

/** One bar per tensor: how near it is to the original. Its button chooses it for the heat map. */
export class TensorBars {
  readonly #list: HTMLElement;
  readonly #choose: (tensor: string) => void;
  readonly #rows = new Map<string, Row>();
  #drawn = '';

  constructor(list: HTMLElement, choose: (tensor: string) => void) {
    this.#list = list;
    this.#choose = choose;
  }

  draw({ tensors, marks, measure, exact }: Lane, chosen: string | undefined): void {
    const names = tensors.map(({ name }) => name).join('\n');
    if (names !== this.#drawn) {
      this.#drawn = names;
      this.#rows.clear();
      this.#list.replaceChildren(...tensors.map(({ name, shape }) => this.#row(name, shape)));
    }
    const qualities = new Map(marks.map(({ tensor, quality }) => [tensor, quality]));
    for (const [name, row] of this.#rows) {
      const { fill, value, button } = row;
      const pressed = String(name === chosen);
      if (button.getAttribute('aria-pressed') !== pressed) button.setAttribute('aria-pressed', pressed);
      const quality = qualities.get(name) ?? 0;
      if (quality === row.quality) continue;
      row.quality = quality;
      fill.style.transform = `scaleX(${quality})`;
      value.textContent = quality === 1 && !exact ? 'complete' : valueText(quality, measure);
    }
  }

  #row(name: string, shape: readonly number[]): HTMLElement {
    const row = make('li', 'tensor');
    const button = make('button', 'name', name);
    button.title = name;
    button.type = 'button';
    button.addEventListener('click', () => this.#choose(name));
    const track = make('span', 'track');
    const fill = make('span', 'fill');
    const value = make('span', 'value');
    track.append(fill);
    row.append(button, make('span', 'shape', shape.join(' × ')), track, value);
    this.#rows.set(name, { fill, value, button, quality: undefined });
    return row;
  }
}

function valueText(quality: number, measure: Measure): string {
  if (quality === 0) return '–';
  if (quality === 1) return 'exact';
  return measure === 'elements' ? percent(quality) : similarity(quality);
}
