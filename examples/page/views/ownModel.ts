import { filter, fromEvent, map, merge, type Observable } from 'rxjs';
import { element } from '../element.js';
import { type Lane, lastStep, partOf } from '../racer/lane.js';
import { bytes, percent, seconds, similarity } from '../text.js';

/** Where a model of the user's comes from: a picked or dropped file, or a URL. */
export class OwnModel {
  readonly chosen$: Observable<File | string>;
  readonly #status = element('own-status', HTMLOutputElement);
  readonly #bar = element('own-bar', HTMLElement);

  constructor(url: string | undefined) {
    const picker = element('own-file', HTMLInputElement);
    const field = element('own-url', HTMLInputElement);
    if (url !== undefined) field.value = url;
    this.chosen$ = merge(
      fromEvent(picker, 'change').pipe(map(() => picker.files?.[0])),
      dropsOn(element('drop', HTMLElement)),
      fromEvent(element('own-load', HTMLButtonElement), 'click').pipe(map(() => this.#urlOf(field))),
    ).pipe(filter((chosen) => chosen !== undefined));
  }

  /** Opens the panel and brings it into view. */
  reveal(): void {
    const panel = this.#status.closest('details')!;
    panel.open = true;
    panel.scrollIntoView({ block: 'center' });
  }

  draw(lane: Lane): void {
    const sentence = describe(lane);
    if (this.#status.value !== sentence) this.#status.value = sentence;
    const { received, fileSize } = lane;
    this.#bar.style.transform = `scaleX(${fileSize === 0 ? 0 : Math.min(1, received / fileSize)})`;
    this.#bar.parentElement!.hidden = lane.tensors.length === 0;
  }

  #urlOf(field: HTMLInputElement): string | undefined {
    if (field.value !== '' && field.checkValidity()) return field.value;
    this.#status.value = 'This is no URL.';
    return undefined;
  }
}

function dropsOn(target: HTMLElement): Observable<File | undefined> {
  const over = (isOver: boolean) => target.classList.toggle('over', isOver);
  fromEvent<DragEvent>(target, 'dragover').subscribe((event) => {
    // Without this, the browser would open the file.
    event.preventDefault();
    over(true);
  });
  fromEvent(target, 'dragleave').subscribe(() => over(false));
  return fromEvent<DragEvent>(target, 'drop').pipe(
    map((event) => {
      event.preventDefault();
      over(false);
      return event.dataTransfer?.files[0];
    }),
  );
}

function describe(lane: Lane): string {
  const { status, message, received, fileSize, weightBytes, tensors, measure, exact, time } = lane;
  const quality = lastStep(lane)?.quality;
  const about = `${tensors.length === 1 ? '1 tensor' : `${tensors.length} tensors`}, ${bytes(weightBytes)}`;
  const part = `${bytes(received)} of ${bytes(fileSize)}`;
  switch (status) {
    case 'waiting':
      return '';
    case 'preparing':
      return 'Looking at the file, and encoding it if it cannot be streamed as it is …';
    case 'failed':
      return message;
    case 'cancelled':
      return 'Cancelled.';
    case 'done':
      return `${about}: ${exact ? 'exact' : 'complete'} after ${percent(partOf(lane, received))} of the bytes, in ${seconds(time)}.`;
    default: {
      if (tensors.length === 0) return 'Opening it over the connection …';
      const state =
        quality === undefined
          ? ''
          : measure === 'elements'
            ? ` ${percent(quality)} of the elements`
            : ` quality ${similarity(quality)}`;
      return `${about}: ${part},${state} …`.replace(', …', ' …');
    }
  }
}
