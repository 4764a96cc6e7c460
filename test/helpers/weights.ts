/** Real weights. They are too large for the repository and are in `../shared/weights` beside it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type NamedTensor, readTensors } from './trained.js';

const folder = new URL('../../../shared/weights/', import.meta.url);

/** The files of real weights; their names end in '.safetensors'. */
export const WEIGHT_FILES = [
  'aesthetic-mlp-relu',
  'charrnn-bronte',
  'g2p-gru',
  'mnist-cnn-burn',
  'mnist-mlp-ggml',
  'silero-vad-16k',
  'tiny-darknet',
] as const;

/** The files of what networks are evaluated with. */
export const EVALUATION_FILES = ['eval-charrnn-bronte', 'eval-mnist-t10k-1000'] as const;

/** The same, in JSON. */
export function readEvaluationText(file: 'eval-g2p-homographs'): string {
  return readFileSync(fileURLToPath(new URL(`${file}.json`, folder)), 'utf8');
}

export type WeightFile = (typeof WEIGHT_FILES)[number];
export type EvaluationFile = (typeof EVALUATION_FILES)[number];

/** The reason why real weights cannot be read; undefined where they can. */
export function missingWeights(): string | undefined {
  return existsSync(folder)
    ? undefined
    : `Cannot read real weights: there is no folder ${fileURLToPath(folder)}`;
}

/** Absolute path of a file of real weights, or of what they are evaluated with. */
export function weightsPath(file: WeightFile | EvaluationFile): string {
  return fileURLToPath(new URL(`${file}.safetensors`, folder));
}

export function readWeightFile(file: WeightFile | EvaluationFile): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(weightsPath(file)));
}

/** All F32 tensors of a file of real weights. */
export function readWeights(file: WeightFile): NamedTensor[] {
  return readTensors(file, readWeightFile(file));
}

export function readWeight(file: WeightFile, name: string): NamedTensor {
  const tensor = readWeights(file).find((candidate) => candidate.name === `${file}/${name}`);
  if (tensor === undefined) throw new Error(`${file} has no tensor ${name}`);
  return tensor;
}
