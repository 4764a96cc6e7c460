import { readModelFile } from '../../models/file/modelFile.js';
import type { LoadableTensor } from '../../models/inputs/content.js';
import { modelFileContent } from '../../models/inputs/modelFile.js';
import { choosePieces, decodeChosen } from '../../models/plain/choosePieces.js';
import type { Steps } from '../../src/async/steps.js';
import { Budget, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { dct2d } from '../../src/kernels/dct/transforms.js';
import { elementCount } from '../../src/tensor/dtype.js';
import { viewElements } from '../../src/tensor/tensor.js';
import { toFloat32 } from '../../src/tensor/toFloat32.js';
import { UsageError } from '../failure.js';
import { openEncodedTensor } from '../input/encodedInput.js';
import { filesOf, type ModelInput } from '../input/modelInput.js';
import { collectInput, modelTensor } from '../input/tensorInput.js';
import { startProgress } from '../progress.js';
import { holotensorQuality } from '../quality/holotensor.js';
import { assertTensors } from '../suggest.js';
import {
  lineSvg,
  type Panel,
  PLOT_HEIGHT,
  PLOT_WIDTH,
  type QualityReport,
  qualityPanel,
  rectSvg,
} from '../svg.js';

/** A tensor as numbers. */
export interface PlottedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Of a tensor in fragments: its quality after bytes of them. */
  readonly steps?: QualityReport['points'];
}

/** The tensor to draw: the one of this name, or else the only one of the file, of a model file the largest. */
export async function readPlotted(
  input: ModelInput,
  name: string | undefined,
  options: OpenOptions,
): Promise<PlottedTensor> {
  // It has been examined.
  const format = input.kind === 'file' ? input.format : undefined;
  if (input.kind === 'file' && (format === 'hct' || format === 'holotensor')) {
    if (name !== undefined) throw new UsageError('--tensor is for models; this is one tensor');
    const tensor = await openEncodedTensor(input.source, format, {}, options);
    using progress = startProgress('reading', tensor.byteLength);
    const values = toFloat32(await collectInput(tensor, progress));
    const steps = format === 'hct' ? undefined : (await holotensorQuality(input.source, {}, options)).points;
    return { name: tensor.name ?? input.name, shape: tensor.shape, values, ...(steps && { steps }) };
  }
  if (input.kind === 'file' && format === 'model-file') {
    const model = await readModelFile(input.source, options);
    const names = model.tensors.map((tensor) => tensor.name);
    assertTensors(name === undefined ? [] : [name], names);
    const [largest] = model.tensors.toSorted((a, b) => b.byteLength - a.byteLength);
    const wanted = name ?? largest?.name;
    if (wanted === undefined) throw new UsageError('The model has no tensors to draw');
    const [chosen] = choosePieces(modelFileContent(model, input.source).tensors, {
      tensors: [wanted],
    }).tensors;
    const { tensor } = chosen!;
    const bytes = await decodeChosen(chosen!, new Budget(limitsOf(options)), options);
    const { dtype, shape } = tensor;
    const values = toFloat32({ dtype, shape, data: viewElements(dtype, bytes) });
    return { name: wanted, shape, values, steps: stepsOfPieces(tensor.pieces) };
  }
  if (input.kind === 'directory') throw new UsageError('Name a file of the directory to draw its tensor');
  const names = input.kind === 'file' ? [input.name] : input.files.map((file) => file.name);
  const tensor = await modelTensor(await filesOf(input, options), names, name, options);
  using progress = startProgress('reading', tensor.byteLength);
  return {
    name: tensor.name ?? input.kind,
    shape: tensor.shape,
    values: toFloat32(await collectInput(tensor, progress)),
  };
}

/** The quality after each piece of a tensor. */
function stepsOfPieces(pieces: LoadableTensor['pieces']): QualityReport['points'] {
  let bytes = 0;
  return pieces.map(({ length, cosine: quality }) => {
    bytes += length;
    return { bytes, quality };
  });
}

/** Cells of the heat map, and bins of the spectrum. */
const MOST_ROWS = 48;
const MOST_COLUMNS = 72;
const BINS = 32;
/** The transform is of a part of larger matrices. */
const MOST_TRANSFORMED = 512;

/** The heat map of a tensor, its spectrum, how much of it its largest values are, and how its fragments improve it. */
export function* tensorPanels({ name, shape, values, steps }: PlottedTensor): Steps<Panel[]> {
  const rows = shape.length < 2 ? 1 : shape[0]!;
  const columns = rows === 0 ? 0 : elementCount(shape) / rows;
  return [
    yield* heatMap(`${name} [${shape.join(', ')}]`, values, rows, columns),
    spectrum(values, rows, columns),
    yield* curve(values),
    ...(steps === undefined ? [] : [qualityPanel('Quality', steps, values.byteLength)]),
  ];
}

function* heatMap(title: string, values: Float32Array, rows: number, columns: number): Steps<Panel> {
  const [down, across] = [Math.min(rows, MOST_ROWS), Math.min(columns, MOST_COLUMNS)];
  const cells = new Float32Array(down * across);
  for (let i = 0; i < down; i++) {
    for (let j = 0; j < across; j++) {
      cells[i * across + j] = meanOf(values, columns, span(i, down, rows), span(j, across, columns));
      yield;
    }
  }
  // A few outliers would leave the rest white.
  const sizes = cells.map(Math.abs).sort();
  const full = sizes[Math.floor(0.98 * (sizes.length - 1))] || 1;
  const [width, height] = [PLOT_WIDTH / across, PLOT_HEIGHT / down];
  const drawn = Array.from(cells, (value, i) => {
    const [row, column] = [Math.floor(i / across), i % across];
    return rectSvg(column * width, row * height, width + 0.3, height + 0.3, colourOf(value / full));
  });
  return {
    ...{
      title,
      xName: `columns (red: positive, full at ${full.toPrecision(2)})`,
      yName: 'rows',
      content: drawn.join(''),
    },
    xTicks: [0, columns].map((column) => ({
      at: columns === 0 ? 0 : (PLOT_WIDTH * column) / columns,
      text: String(column),
    })),
    yTicks: [0, rows].map((row) => ({ at: rows === 0 ? 0 : (PLOT_HEIGHT * row) / rows, text: String(row) })),
  };
}

type Span = readonly [from: number, to: number];

function span(i: number, parts: number, whole: number): Span {
  return [Math.floor((i * whole) / parts), Math.floor(((i + 1) * whole) / parts)];
}

function meanOf(values: Float32Array, columns: number, [top, bottom]: Span, [left, right]: Span): number {
  let sum = 0;
  for (let i = top; i < bottom; i++)
    for (let j = left; j < right; j++) sum += finite(values[i * columns + j]!);
  return sum / ((bottom - top) * (right - left));
}

/** What is no number is drawn as nothing. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** From blue by white to red; −1 to 1. */
function colourOf(value: number): string {
  const strength = Number.isNaN(value) ? 0 : Math.min(1, Math.abs(value));
  const fade = (to: number) => Math.round(255 - strength * (255 - to));
  const [red, green, blue] = value > 0 ? [178, 24, 43] : [33, 102, 172];
  return `rgb(${fade(red)},${fade(green)},${fade(blue)})`;
}

function spectrum(values: Float32Array, rows: number, columns: number): Panel {
  const [down, across] = [Math.min(rows, MOST_TRANSFORMED), Math.min(columns, MOST_TRANSFORMED)];
  const part = new Float32Array(down * across);
  for (let i = 0; i < down; i++) {
    for (let j = 0; j < across; j++) part[i * across + j] = finite(values[i * columns + j]!);
  }
  const coefficients = part.length === 0 ? part : dct2d(part, down, across);
  const [energy, count] = [new Float64Array(BINS), new Float64Array(BINS)];
  for (const [i, coefficient] of coefficients.entries()) {
    const [v, u] = [Math.floor(i / across) / down, (i % across) / across];
    const bin = Math.min(BINS - 1, Math.floor((BINS * Math.hypot(u, v)) / Math.SQRT2));
    energy[bin]! += coefficient ** 2;
    count[bin]! += 1;
  }
  const levels = Array.from(energy, (sum, bin) => 10 * Math.log10(sum / Math.max(1, count[bin]!) + 1e-30));
  const known = levels.filter((_, bin) => energy[bin]! > 0);
  const top = known.reduce((most, level) => Math.max(most, level), -300);
  const bottom = Math.min(
    top - 20,
    known.reduce((least, level) => Math.min(least, level), 300),
  );
  const y = (level: number) => (PLOT_HEIGHT * (top - level)) / (top - bottom);
  const width = PLOT_WIDTH / BINS;
  const bars = levels.map((level, bin) =>
    energy[bin]! > 0 ? rectSvg(bin * width, y(level), width - 1, PLOT_HEIGHT - y(level), '#0b62b4') : '',
  );
  return {
    ...{
      title: 'Spectrum (DCT)',
      xName: 'frequency, low to high',
      yName: 'energy, dB',
      content: bars.join(''),
    },
    xTicks: [],
    yTicks: [top, (top + bottom) / 2, bottom].map((level) => ({ at: y(level), text: level.toFixed(0) })),
  };
}

/** Sizes of values, by the upper half of their bits: neighbours differ by less than 1 %. */
const SIZES = 2 ** 15;
/** Values that are counted at a time. */
const COUNTED = 2 ** 16;

/**
 * The share of the energy that the largest values have together. They are counted by their size: to sort 20 million takes
 * 3 s, in which nothing else gets in.
 */
function* curve(values: Float32Array): Steps<Panel> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const [counts, energies] = [new Float64Array(SIZES), new Float64Array(SIZES)];
  for (let start = 0; start < values.length; start += COUNTED) {
    const end = Math.min(values.length, start + COUNTED);
    for (let i = start; i < end; i++) {
      const value = finite(values[i]!);
      const size = value === 0 ? 0 : (bits[i]! & 0x7fffffff) >>> 16;
      counts[size]! += 1;
      energies[size]! += value * value;
    }
    yield;
  }
  const total = energies.reduce((sum, energy) => sum + energy, 0) || 1;
  const points: (readonly [number, number])[] = [[0, PLOT_HEIGHT]];
  let [count, energy] = [0, 0];
  for (let size = SIZES - 1; size >= 0; size--) {
    if (counts[size] === 0) continue;
    count += counts[size]!;
    energy += energies[size]!;
    const point = [(PLOT_WIDTH * count) / values.length, PLOT_HEIGHT * (1 - energy / total)] as const;
    const [x, y] = points.at(-1)!;
    if (point[0] - x >= 1 || y - point[1] >= 1 || count === values.length) points.push(point);
  }
  const percent = [0, 25, 50, 75, 100];
  return {
    ...{ title: 'Energy of the largest values', xName: 'values, largest first', yName: 'of the energy' },
    xTicks: percent.map((at) => ({ at: (PLOT_WIDTH * at) / 100, text: `${at} %` })),
    yTicks: percent.map((at) => ({ at: PLOT_HEIGHT * (1 - at / 100), text: `${at} %` })),
    content: lineSvg(points),
  };
}
