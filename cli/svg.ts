import { bytesSource } from '../sources/bytes.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { writeOutput } from './files.js';
import { escapeMarkup } from './markup.js';
import { checkOutput } from './output.js';
import type { Report } from './report.js';

/** Pictures are SVG without scripts, styles of others or references: they can be opened and embedded anywhere. */

export interface PlotChoice {
  /** Where to write a picture. */
  readonly plot?: string | undefined;
  readonly force?: true | undefined;
}

const PANEL_WIDTH = 460;
const PANEL_HEIGHT = 300;
const MARGIN = { left: 56, top: 36, right: 28, bottom: 44 };
export const PLOT_WIDTH = PANEL_WIDTH - MARGIN.left - MARGIN.right;
export const PLOT_HEIGHT = PANEL_HEIGHT - MARGIN.top - MARGIN.bottom;

/** A drawing with a title and axes. */
export interface Panel {
  readonly title: string;
  readonly xName: string;
  readonly yName: string;
  /** Places of ticks, in pixels from the left and from the top, and what is written there. */
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  /** SVG that was made here, within the width and height of a plot. */
  readonly content: string;
}

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** @throws UsageError, SinkError before there is work to lose */
export async function checkPlot({ plot, force }: PlotChoice): Promise<void> {
  if (plot !== undefined) await checkOutput({ output: plot, ...(force && { force }) });
}

export async function writeSvg(path: string, panels: readonly Panel[], options: AbortOptions): Promise<void> {
  const bytes = new TextEncoder().encode(svgOf(panels));
  await writeOutput(path, bytesSource(bytes).stream(), options);
}

export function svgOf(panels: readonly Panel[]): string {
  const width = PANEL_WIDTH * panels.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${PANEL_HEIGHT}" width="${width}" height="${PANEL_HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${PANEL_HEIGHT}" fill="#fff"/>`,
    ...panels.map((panel, i) => `<g transform="translate(${i * PANEL_WIDTH} 0)">${panelSvg(panel)}</g>`),
    '</svg>',
    '',
  ].join('\n');
}

function panelSvg({ title, xName, yName, xTicks, yTicks, content }: Panel): string {
  const { left, top } = MARGIN;
  const bottom = top + PLOT_HEIGHT;
  const lines = [
    label(left, 20, title, 'font-size="13" font-weight="bold"'),
    `<rect x="${left}" y="${top}" width="${PLOT_WIDTH}" height="${PLOT_HEIGHT}" fill="none" stroke="#999"/>`,
    ...xTicks.map(({ at, text }) => label(left + at, bottom + 15, text, 'text-anchor="middle"')),
    ...yTicks.map(({ at, text }) => label(left - 6, top + at + 4, text, 'text-anchor="end"')),
    label(left + PLOT_WIDTH / 2, bottom + 32, xName, 'text-anchor="middle"'),
    `<g transform="translate(14 ${top + PLOT_HEIGHT / 2}) rotate(-90)">${label(0, 0, yName, 'text-anchor="middle"')}</g>`,
    `<g transform="translate(${left} ${top})">${content}</g>`,
  ];
  return lines.join('');
}

function label(x: number, y: number, text: string, attributes: string): string {
  const safe = escapeMarkup(text.slice(0, 80));
  return `<text x="${round(x)}" y="${round(y)}" ${attributes} fill="#222">${safe}</text>`;
}

/** A line through points in pixels. */
export function lineSvg(points: readonly (readonly [number, number])[]): string {
  const path = points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="#0b62b4" stroke-width="1.6"/>`;
}

export function rectSvg(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"/>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** What `quality` says, and what it draws. */
export interface QualityReport extends Report {
  readonly originalSize: number;
  readonly points: readonly { readonly bytes: number; readonly quality: number }[];
}

/** Steps of quality over bytes, on a logarithmic axis: most of what happens does in the first tenth. */
export function qualityPanel(
  title: string,
  points: readonly { readonly bytes: number; readonly quality: number }[],
  originalSize: number,
): Panel {
  const known = points.filter(({ bytes }) => bytes > 0);
  const shareOf = (bytes: number) => bytes / Math.max(originalSize, 1);
  const first = Math.min(known.length === 0 ? 0.01 : shareOf(known[0]!.bytes), 0.1);
  const last = Math.max(1, shareOf(known.at(-1)?.bytes ?? 0));
  const x = (share: number) => (PLOT_WIDTH * Math.log(share / first)) / Math.log(last / first);
  const y = (quality: number) => PLOT_HEIGHT * (1 - Math.min(1, Math.max(0, quality)));
  const corners = known.flatMap(({ bytes, quality }, i): (readonly [number, number])[] => [
    [x(shareOf(bytes)), y(known[i - 1]?.quality ?? 0)],
    [x(shareOf(bytes)), y(quality)],
  ]);
  const decades = [1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].filter((share) => share >= first);
  return {
    ...{ title, xName: 'bytes received, of those of the elements', yName: 'cosine similarity' },
    xTicks: decades.map((share) => ({ at: x(share), text: `${+(100 * share).toPrecision(2)} %` })),
    yTicks: [0, 0.25, 0.5, 0.75, 0.9, 1].map((quality) => ({ at: y(quality), text: String(quality) })),
    content: lineSvg(corners),
  };
}
