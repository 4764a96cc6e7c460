/** What a link to the page says: the same race at the same speed, stopped at the same place. */
export interface PageState {
  /** Bytes per second. */
  readonly rate: number;
  /** Part of the bytes at which the race pauses. */
  readonly stopAt: number | undefined;
  /** The tensor of the heat map. */
  readonly tensor: string | undefined;
  readonly zoom: number;
  /** The line of text to read. */
  readonly line: string | undefined;
  /** A model of the user's. */
  readonly file: string | undefined;
}

/** Bytes per second that the slider offers. */
export const RATES = [3, 4, 5, 6]
  .flatMap((power) =>
    [1, 1.5, 2, 3, 5, 7].map((digits) => digits * 10 ** power).filter((rate) => rate >= 5000),
  )
  .concat(10_000_000);
const DEFAULT_RATE = 50_000;
/** Zooms of the heat map. */
export const ZOOMS = [1, 2, 4, 8];

export function parseState(hash: string): PageState {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const between = (name: string, low: number, high: number) => {
    const text = fields.get(name);
    const value = Number(text);
    return text !== null && value >= low && value <= high ? value : undefined;
  };
  const zoom = Number(fields.get('zoom'));
  return {
    rate: between('rate', RATES[0]!, RATES.at(-1)!) ?? DEFAULT_RATE,
    stopAt: between('stop', 0, 1),
    tensor: fields.get('tensor') ?? undefined,
    zoom: ZOOMS.includes(zoom) ? zoom : 1,
    line: fields.get('line')?.slice(0, 60),
    file: webAddress(fields.get('file')),
  };
}

/** Links come from anyone: what is no address of the web is not asked for. */
function webAddress(text: string | null): string | undefined {
  if (text === null) return undefined;
  try {
    const { protocol, href } = new URL(text, document.baseURI);
    return protocol === 'https:' || protocol === 'http:' ? href : undefined;
  } catch {
    return undefined;
  }
}

/** Only what is not as it is anyway. */
export function formatState({ rate, stopAt, tensor, zoom, line, file }: PageState): string {
  const fields = new URLSearchParams();
  fields.set('rate', String(Math.round(rate)));
  if (stopAt !== undefined) fields.set('stop', stopAt.toFixed(4));
  if (tensor !== undefined) fields.set('tensor', tensor);
  if (zoom !== 1) fields.set('zoom', String(zoom));
  if (line !== undefined) fields.set('line', line);
  if (file !== undefined) fields.set('file', file);
  return `#${fields}`;
}

/** The nearest rate that the slider offers, by its place. */
export function sliderOf(rate: number): number {
  const distance = (other: number) => Math.abs(Math.log(other / rate));
  return RATES.reduce((best, other, i) => (distance(other) < distance(RATES[best]!) ? i : best), 0);
}
