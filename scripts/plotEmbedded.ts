/**
 * Draws the quality of two real networks after a part of their bytes, for three ways of sending them, to
 * `docs/embedded.svg`, and prints the same as tables. Usage: npm run plot:embedded (some minutes).
 */
import { writeFileSync } from 'node:fs';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { fragmentPrefix, type Prefix, plainBytes, plainPrefix } from '../test/helpers/modelPrefix.js';
import { charrnnTask } from '../test/helpers/tasks/charrnn.js';
import { mnistTask } from '../test/helpers/tasks/mnist.js';
import type { Task } from '../test/helpers/tasks/task.js';

const FRAGMENTS = 16;
const CHARACTERS = 2000;
/** Parts of the F32 bytes, in percent. */
const PARTS = [1, 2, 3, 4, 5, 6, 8.5, 10, 12, 15, 18, 22, 30, 40, 50, 60, 70, 80, 90, 100];

interface Curve {
  readonly label: string;
  readonly color: string;
  readonly points: readonly { readonly percent: number; readonly value: number }[];
}

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly curves: readonly Curve[];
}

const kernels = await loadKernels();

function measure(task: Task): Curve[] {
  const { tensors, evaluate } = task;
  const total = plainBytes(tensors);
  const ways: [string, string, Prefix][] = [
    ['embedded', '#0b6e4f', fragmentPrefix(tensors, 'embedded', FRAGMENTS, kernels)],
    ['spectral', '#c1666b', fragmentPrefix(tensors, 'spectral', FRAGMENTS, kernels)],
    ['plain file', '#6b7a8f', plainPrefix(tensors)],
  ];
  return ways.map(([label, color, prefix]) => {
    const points = PARTS.map((part) => {
      const { weights, used } = prefix((part / 100) * total);
      return { percent: (100 * used) / total, value: evaluate(weights) };
    });
    console.log(`\n${task.name}, ${label}\n`);
    console.log('| % of the bytes | |\n|---|---|');
    for (const { percent, value } of points) console.log(`| ${percent.toFixed(1)} | ${value.toFixed(3)} |`);
    return { label, color, points };
  });
}

const WIDTH = 440;
const HEIGHT = 300;
const MARGIN = { left: 48, right: 12, top: 30, bottom: 40 };
/** The axis of bytes is logarithmic: what happens in the first tenth is what this is about. */
const FIRST_PERCENT = 1;

function drawPanel({ title, unit, low, high, ticks, curves }: Panel, left: number): string {
  const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const x = (percent: number) =>
    left +
    MARGIN.left +
    (inner.width * Math.log(Math.max(percent, FIRST_PERCENT) / FIRST_PERCENT)) /
      Math.log(100 / FIRST_PERCENT);
  const y = (value: number) =>
    MARGIN.top + inner.height * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
  const bottom = MARGIN.top + inner.height;
  const parts = [`<text x="${left + MARGIN.left}" y="18" font-weight="bold">${title}</text>`];
  for (const tick of ticks) {
    parts.push(`<path d="M${x(1)} ${y(tick)}H${x(100)}" stroke="#ddd"/>`);
    parts.push(`<text x="${x(1) - 6}" y="${y(tick) + 4}" text-anchor="end">${tick}${unit}</text>`);
  }
  for (const percent of [1, 2, 5, 10, 20, 50, 100]) {
    parts.push(`<path d="M${x(percent)} ${bottom}v4" stroke="#333"/>`);
    parts.push(`<text x="${x(percent)}" y="${bottom + 16}" text-anchor="middle">${percent}</text>`);
  }
  parts.push(`<path d="M${x(1)} ${bottom}H${x(100)}" stroke="#333"/>`);
  parts.push(`<text x="${x(10)}" y="${bottom + 34}" text-anchor="middle">% of the F32 bytes</text>`);
  curves.forEach(({ label, color, points }, i) => {
    const path = points.map((p) => `${x(p.percent).toFixed(1)} ${y(p.value).toFixed(1)}`).join('L');
    parts.push(`<path d="M${path}" fill="none" stroke="${color}" stroke-width="2"/>`);
    const key = MARGIN.top + inner.height / 2 + 18 * i;
    parts.push(`<path d="M${x(45)} ${key}h18" stroke="${color}" stroke-width="2"/>`);
    parts.push(`<text x="${x(45) + 23}" y="${key + 4}">${label}</text>`);
  });
  return parts.join('\n');
}

const digits = measure(mnistTask()).map((curve) => ({
  ...curve,
  points: curve.points.map(({ percent, value }) => ({ percent, value: 100 * value })),
}));
const text = measure(charrnnTask(CHARACTERS));
const panels = [
  drawPanel(
    {
      title: 'MNIST classifier: images named right',
      unit: ' %',
      low: 0,
      high: 100,
      ticks: [0, 25, 50, 75, 100],
      curves: digits,
    },
    0,
  ),
  drawPanel(
    {
      title: 'Text model: bits a character (less is better)',
      unit: '',
      low: 1,
      high: 9,
      ticks: [1, 3, 5, 7, 9],
      curves: text,
    },
    WIDTH,
  ),
];
writeFileSync(
  new URL('../docs/embedded.svg', import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">
<title>What two networks are worth after a part of their bytes</title>
<rect width="${2 * WIDTH}" height="${HEIGHT}" fill="#fff"/>
${panels.join('\n')}
</svg>
`,
);
