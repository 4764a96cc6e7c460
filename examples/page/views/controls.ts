import { fromEvent, map, type Observable } from 'rxjs';
import { element } from '../element.js';
import { RATES, sliderOf } from '../state.js';
import { rate as rateText } from '../text.js';

export type Running = 'idle' | 'running' | 'paused';

/** Start, pause, cancel, cut, and the speed of the connection. */
export class Controls {
  readonly start$: Observable<unknown>;
  readonly pause$: Observable<unknown>;
  readonly cancel$: Observable<unknown>;
  readonly cut$: Observable<unknown>;
  readonly link$: Observable<unknown>;
  /** Bytes per second, when the slider has moved. */
  readonly rate$: Observable<number>;
  readonly #slider = element('rate', HTMLInputElement);
  readonly #shown = element('rate-text', HTMLOutputElement);
  readonly #start = element('start', HTMLButtonElement);
  readonly #pause = element('pause', HTMLButtonElement);
  readonly #cancel = element('cancel', HTMLButtonElement);
  readonly #cut = element('cut', HTMLButtonElement);
  readonly #status = element('status', HTMLOutputElement);

  constructor(rate: number) {
    this.#slider.max = String(RATES.length - 1);
    this.#slider.value = String(sliderOf(rate));
    this.#showRate();
    this.start$ = fromEvent(this.#start, 'click');
    this.pause$ = fromEvent(this.#pause, 'click');
    this.cancel$ = fromEvent(this.#cancel, 'click');
    this.cut$ = fromEvent(this.#cut, 'click');
    this.link$ = fromEvent(element('link', HTMLButtonElement), 'click');
    this.rate$ = fromEvent(this.#slider, 'input').pipe(
      map(() => {
        this.#showRate();
        return this.rate;
      }),
    );
  }

  get rate(): number {
    return RATES[Number(this.#slider.value)]!;
  }

  show(running: Running): void {
    this.#start.textContent = running === 'idle' ? 'Start' : 'Start again';
    this.#pause.textContent = running === 'paused' ? 'Resume' : 'Pause';
    for (const button of [this.#pause, this.#cancel, this.#cut]) button.disabled = running === 'idle';
  }

  /** What is happening, in a sentence: said by screen readers, so only when it changes. */
  say(sentence: string): void {
    if (this.#status.value !== sentence) this.#status.value = sentence;
  }

  #showRate(): void {
    const text = rateText(this.rate);
    this.#shown.value = text;
    this.#slider.setAttribute('aria-valuetext', text);
  }
}
