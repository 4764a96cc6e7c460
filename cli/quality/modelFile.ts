import { type ModelFileTensor, readModelFile } from '../../models/file/modelFile.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import type { RandomAccessSource } from '../../src/source.js';
import { describeModelReach, isCutOff, reachOfModel } from '../reach.js';
import { plot, table } from '../report.js';
import type { QualityReport } from '../svg.js';

/** The quality of the model when a sequential download has reached this byte. */
export interface Step {
  readonly bytes: number;
  readonly quality: number;
}

/** Most rows of the table; the JSON has all steps. */
const MAX_ROWS = 20;

/** The quality of a model file after each of its fragments, from its own plan: nothing is decoded. */
export async function modelFileQuality(
  source: RandomAccessSource,
  options: OpenOptions,
): Promise<QualityReport> {
  const model = await readModelFile(source, { ...options, partial: true });
  const { tensors, dataStart, available, fileSize } = model;
  const originalSize = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const steps = stepsOf(tensors, dataStart);
  const data = { originalSize, available, fileSize, steps };
  const rows = thinned(steps).map(({ bytes, quality }) => [
    String(bytes),
    shareOfPlain(bytes, originalSize),
    quality.toFixed(6),
  ]);
  const points = steps.map(({ bytes, quality }) => ({ x: bytes, y: quality }));
  const cut = isCutOff(model) ? [describeModelReach(reachOfModel(model, source)), ''] : [];
  return {
    ...{ data, originalSize, points: steps },
    lines: [...cut, ...table(['bytes', 'of plain', 'cosine'], rows), '', ...plot(points, 'cosine', 'bytes')],
  };
}

/** Bytes of a file, of those that the tensors have without holostream. */
export function shareOfPlain(bytes: number, originalSize: number): string {
  return originalSize === 0 ? '' : `${((100 * bytes) / originalSize).toFixed(1)} %`;
}

/**
 * The quality of the whole is the mean of the tensors' cosines by their weights. The piece of a plain tensor
 * brings all of it.
 */
export function stepsOf(tensors: readonly ModelFileTensor[], dataStart: number): Step[] {
  const total = tensors.reduce((sum, { weight }) => sum + weight, 0);
  const gains = tensors.flatMap(({ weight, encoded, pieces }) =>
    pieces.map(({ offset, length }, piece) => {
      const [before, after] =
        encoded === undefined ? [0, 1] : [encoded.cosines[piece - 2] ?? 0, encoded.cosines[piece - 1] ?? 0];
      return { end: offset + length, gain: weight * (after - before) };
    }),
  );
  gains.sort((a, b) => a.end - b.end);
  let sum = 0;
  const steps = gains.map(({ end, gain }) => {
    sum += gain;
    return { bytes: end, quality: Math.min(Math.max(total === 0 ? 1 : sum / total, 0), 1) };
  });
  return [{ bytes: dataStart, quality: 0 }, ...steps];
}

function thinned(steps: readonly Step[]): readonly Step[] {
  if (steps.length <= MAX_ROWS) return steps;
  return Array.from({ length: MAX_ROWS }, (_, row) => {
    return steps[Math.round((row * (steps.length - 1)) / (MAX_ROWS - 1))]!;
  });
}
