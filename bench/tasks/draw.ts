/** A picture of the quality of networks after a part of their bytes: one panel per network, one curve per way to send it. */
import type { Found } from './smallestPart.js';

export interface Panel {
  readonly name: string;
  readonly better: 'more' | 'less';
  /** Up to which value the network works. */
  readonly limit: number;
  readonly curves: readonly (Pick<Found, 'points'> & { readonly name: string })[];
}

const COLUMNS = 3;
const WIDTH = 280;
const HEIGHT = 190;
const MARGIN = { left: 40, right: 12, top: 28, bottom: 36 } as const;
const KEY = 28;
const INNER = {
  width: WIDTH - MARGIN.left - MARGIN.right,
  height: HEIGHT - MARGIN.top - MARGIN.bottom,
} as const;
/** The axis of bytes is logarithmic: what happens in the first tenth is what this is about. */
const FIRST_PERCENT = 1;
const TICKS = [1, 2, 5, 10, 20, 50, 100];

/** Colours for light and for dark pages. */
const STYLE = `
svg { background: #fff; font: 11px sans-serif }
text { fill: #222 } .axis { stroke: #888 } .limit { stroke: #888; stroke-dasharray: 4 3 }
.curve { fill: none; stroke-width: 2 } .c0 { stroke: #0b6e4f } .c1 { stroke: #b07d12 } .c2 { stroke: #c1666b }
@media (prefers-color-scheme: dark) {
svg { background: #15191d } text { fill: #dde3e8 }
.c0 { stroke: #4fc79b } .c1 { stroke: #e2b44c } .c2 { stroke: #e79297 }
}
`;

export function drawTasks(panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / COLUMNS);
  const [width, height] = [COLUMNS * WIDTH, rows * HEIGHT + KEY];
  const key = panels[0]!.curves.map(({ name }, i) => {
    const left = MARGIN.left + 110 * i;
    return `<path class="curve c${i}" d="M${left} 14h18"/><text x="${left + 24}" y="18">${name}</text>`;
  });
  const drawn = panels.map((panel, i) => {
    const place = `${WIDTH * (i % COLUMNS)} ${KEY + HEIGHT * Math.floor(i / COLUMNS)}`;
    return `<g transform="translate(${place})">\n${drawPanel(panel)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">
<title>What networks are worth after a part of their bytes</title>
<style>${STYLE}</style>
${key.join('\n')}
${drawn.join('\n')}
</svg>
`;
}

function drawPanel({ name, better, limit, curves }: Panel): string {
  const { low, high } = rangeOf(better, limit, curves);
  const x = (percent: number) =>
    MARGIN.left +
    (INNER.width * Math.log(Math.max(percent, FIRST_PERCENT) / FIRST_PERCENT)) /
      Math.log(100 / FIRST_PERCENT);
  const y = (value: number) =>
    MARGIN.top + INNER.height * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
  const bottom = MARGIN.top + INNER.height;
  const axis = `% of the F32 bytes${better === 'more' ? '' : '; bits, less is better'}`;
  return [
    `<text x="${MARGIN.left}" y="18" font-weight="bold">${name}</text>`,
    ...TICKS.map(
      (percent) =>
        `<path class="axis" d="M${round(x(percent))} ${bottom}v4"/>` +
        `<text x="${round(x(percent))}" y="${bottom + 16}" text-anchor="middle">${percent}</text>`,
    ),
    ...[low, high].map(
      (value) =>
        `<text x="${MARGIN.left - 5}" y="${y(value) + 4}" text-anchor="end">${Number(value.toPrecision(2))}</text>`,
    ),
    `<path class="axis" d="M${x(1)} ${bottom}H${x(100)}"/>`,
    `<path class="limit" d="M${x(1)} ${round(y(limit))}H${x(100)}"/>`,
    `<text x="${x(10)}" y="${bottom + 31}" text-anchor="middle">${axis}</text>`,
    ...curves.map(({ points }, i) => {
      const path = points.toReversed().map(({ part, value }) => `${round(x(part))} ${round(y(value))}`);
      return `<path class="curve c${i}" d="M${path.join('L')}"/>`;
    }),
  ].join('\n');
}

/** From 0 to 1; of bits, from the best to some above the limit. */
function rangeOf(
  better: 'more' | 'less',
  limit: number,
  curves: Panel['curves'],
): { readonly low: number; readonly high: number } {
  if (better === 'more') return { low: 0, high: 1 };
  const values = curves.flatMap(({ points }) => points.map(({ value }) => value));
  const low = values.reduce((least, value) => Math.min(least, value));
  return { low, high: low + 12 * (limit - low) };
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
