/** `npm run plot:accuracy` draws docs/accuracy.svg: how right the digits model is after a part of its bytes, sent in three ways. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { weightsOfPrefix } from '../bench/tasks/prefix.js';
import { accuracy } from '../examples/digits/mlp.js';
import { layersOf } from '../examples/digits/model.js';
import { testSet } from '../examples/digits/testSet.js';
import { linePath, type Point, round, settledAt } from '../examples/page/drawing/curve.js';
import { linear, logarithmic } from '../examples/page/drawing/scale.js';
import { encodeModelFile } from '../models/file/encodeModelFile.js';
import type { EncodeModelFileOptions } from '../models/file/encodeOptions.js';
import { memoryStagingStore } from '../models/file/stagingStore.js';
import { memorySink } from '../sinks/memory.js';
import { bytesSource } from '../sources/bytes.js';
import { parseSafetensorsHeader } from '../src/safetensors/parse.js';

const root = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const original = new Uint8Array(readFileSync(root('examples/digits/digits.safetensors')));
const { tensors, dataStart, fileSize } = plainLayout();
const samples = testSet().slice(0, 500);

const FRAGMENTS = 32;
const RIGHT = 0.95;
/** Percents of the bytes, evenly spaced on a logarithmic axis. */
const PERCENTS = Array.from({ length: 33 }, (_, i) => 10 ** (i / 16));

const WIDTH = 720;
const HEIGHT = 300;
const MARGIN = { left: 60, right: 24, top: 20, bottom: 44 } as const;

type Weights = ReadonlyMap<string, Float32Array>;

function plainLayout() {
  const header = parseSafetensorsHeader(original);
  return { tensors: header.tensors, dataStart: header.byteLength, fileSize: header.fileSize };
}

/** What has arrived of a plain file; the rest is 0. */
function plainPrefix(bytes: number): Weights {
  const arrived = new Uint8Array(original.length);
  arrived.set(original.subarray(0, Math.max(bytes, dataStart)));
  return new Map(
    tensors.map(({ name, offset, byteLength }) => [
      name,
      new Float32Array(arrived.slice(offset, offset + byteLength).buffer),
    ]),
  );
}

async function encoded(encode: EncodeModelFileOptions['encode']): Promise<Uint8Array> {
  const sink = memorySink();
  const inputs = [{ name: 'digits.safetensors', source: bytesSource(original) }];
  await encodeModelFile(inputs, sink, memoryStagingStore(), { encode });
  return sink.bytes;
}

async function curveOf(weightsAt: (bytes: number) => Weights | Promise<Weights>): Promise<Point[]> {
  const points: Point[] = [];
  for (const percent of PERCENTS) {
    const weights = await weightsAt(Math.round((percent / 100) * fileSize));
    const layers = layersOf(new Map(Array.from(weights, ([name, data]) => [name, { data }])));
    points.push([percent, accuracy(layers, samples)]);
  }
  return points;
}

const ours = await encoded({ fragments: FRAGMENTS });
const spectral = await encoded({ encoding: 'spectral', fragments: FRAGMENTS });
const curves = [
  { name: 'holostream', className: 'ours', points: await curveOf((bytes) => weightsOfPrefix(ours, bytes)) },
  {
    name: 'spectral',
    className: 'spectral',
    points: await curveOf((bytes) => weightsOfPrefix(spectral, bytes)),
  },
  { name: 'plain file', className: 'plain', points: await curveOf(plainPrefix) },
];

const x = logarithmic(1, 100, MARGIN.left, WIDTH - MARGIN.right);
const y = linear(0, 1, HEIGHT - MARGIN.bottom, MARGIN.top);
const bottom = HEIGHT - MARGIN.bottom;

/** Where the names of the curves are: percent of the bytes, height, and the end of the text that is there. */
const NAME_AT: Readonly<Record<string, readonly [percent: number, height: number, anchor: string]>> = {
  ours: [3.6, 0.86, 'start'],
  spectral: [36, 0.62, 'start'],
  plain: [84, 0.18, 'end'],
};

function named({ name, className, points }: (typeof curves)[number]): string {
  const [percent, height, anchor] = NAME_AT[className]!;
  const settled = settledAt(points, RIGHT)?.[0] ?? 100;
  const place = `x="${round(x(percent))}" y="${round(y(height))}" text-anchor="${anchor}"`;
  const label =
    className === 'ours'
      ? `${name}: 95 % right at ${settled.toFixed(1)} %`
      : `${name}: at ${settled.toFixed(0)} %`;
  return `<path class="curve ${className}" d="${linePath(points, x, y)}"/><text class="${className}" ${place}>${label}</text>`;
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
<title>Part of held-out digits that a model names right after a part of its bytes</title>
<style>
svg { background: #faf9f6; font: 13px system-ui, sans-serif }
text { fill: #565d66 } .grid { stroke: #e3dfd6 } .limit { stroke: #565d66; stroke-dasharray: 3 4 }
.curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }
path.ours { stroke: #0b6e4f } path.spectral { stroke: #a06a00 } path.plain { stroke: #55627a }
text.ours { fill: #0b6e4f; font-weight: 600 } text.spectral { fill: #a06a00 } text.plain { fill: #55627a }
@media (prefers-color-scheme: dark) {
svg { background: #121518 } text { fill: #a6afb9 } .grid { stroke: #2e343b } .limit { stroke: #a6afb9 }
path.ours { stroke: #4fc79b } path.spectral { stroke: #e2b44c } path.plain { stroke: #a7b4cb }
text.ours { fill: #4fc79b } text.spectral { fill: #e2b44c } text.plain { fill: #a7b4cb }
}
</style>
${[0, 0.25, 0.5, 0.75, 1].map((value) => `<path class="grid" d="M${MARGIN.left} ${round(y(value))}H${WIDTH - MARGIN.right}"/>`).join('')}
${[0, 0.5, 1].map((value) => `<text x="${MARGIN.left - 8}" y="${round(y(value) + 4)}" text-anchor="end">${100 * value} %</text>`).join('')}
<path class="limit" d="M${MARGIN.left} ${round(y(RIGHT))}H${WIDTH - MARGIN.right}"/>
${[1, 2, 5, 10, 20, 50, 100].map((value) => `<text x="${round(x(value))}" y="${bottom + 18}" text-anchor="middle">${value}</text>`).join('')}
<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - 8}" text-anchor="end">% of the bytes of the plain file</text>
${curves.map(named).join('\n')}
</svg>
`;
writeFileSync(root('docs/accuracy.svg'), svg);
for (const { name, points } of curves) console.log(name, settledAt(points, RIGHT)?.[0].toFixed(1));
