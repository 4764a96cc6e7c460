import { filter, fromEvent, map, merge, type Observable } from 'rxjs';
import { element } from '../element.js';
import { type Lane, lastStep, partOf } from '../racer/lane.js';
import { bytes, percent, seconds } from '../text.js';

/** Where a model of the user's comes from: a picked or dropped file, or a URL. */
export class OwnModel {
  readonly chosen$: Observable<File | string>;
  readonly #status = element('own-status', HTMLOutputElement);

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

  draw(lane: Lane): void {
    const sentence = describe(lane);
    if (this.#status.value !== sentence) this.#status.value = sentence;
  }

  #urlOf(field: HTMLInputElement): string | undefined {
    if (field.value !== '' && field.checkValidity()) return field.value;
    this.#status.value = 'This is no URL.';
    return undefined;
  }
}

function dropsOn(target: HTMLElement): Observable<File | undefined> {
  // Without this, the browser would open the file.
  fromEvent<DragEvent>(target, 'dragover').subscribe((event) => event.preventDefault());
  return fromEvent<DragEvent>(target, 'drop').pipe(
    map((event) => {
      event.preventDefault();
      return event.dataTransfer?.files[0];
    }),
  );
}

function describe(lane: Lane): string {
  const { status, message, received, weightBytes, tensors, time } = lane;
  const quality = lastStep(lane)?.quality;
  const about = `${tensors.length === 1 ? '1 tensor' : `${tensors.length} tensors`}, ${bytes(weightBytes)}`;
  switch (status) {
    case 'waiting':
      return '';
    case 'preparing':
      return 'Reading the file, and encoding it where it is not a model file …';
    case 'failed':
      return message;
    case 'cancelled':
      return 'Cancelled.';
    case 'done':
      return `${about}: exact after ${percent(partOf(lane, received))} of the bytes, in ${seconds(time)}.`;
    default:
      return quality === undefined ? `${about} …` : `${about}: quality ${quality.toFixed(3)} …`;
  }
}
