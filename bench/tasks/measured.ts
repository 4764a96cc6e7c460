/** The tasks that model files are measured by, and what they must reach. */
import { charrnnTask } from '../../test/helpers/tasks/charrnn.js';
import { g2pTask } from '../../test/helpers/tasks/g2p.js';
import { mnistCnnTask, mnistTask } from '../../test/helpers/tasks/mnist.js';
import type { Task, Weights } from '../../test/helpers/tasks/task.js';
import { readWeightFile, type WeightFile } from '../../test/helpers/weights.js';
import { digitsTask } from './digits.js';
import { detectorTask, recogniserTask } from './ocr.js';
import { installPackages } from './onnxRuntime.js';
import { speechTask } from './speech.js';
import { transformerTask } from './transformer/task.js';

export interface MeasuredTask {
  readonly name: string;
  /** What must hold, in words. */
  readonly bound: string;
  /** The safetensors file of the network, and its F32 tensors. */
  readonly source: Uint8Array;
  readonly tensors: Task['tensors'];
  /** How well it works with these weights in place of its own; called with its own ones first. */
  evaluate(weights: Weights): number | Promise<number>;
  /** Whether the network works: its value with some weights, and with its own. */
  holds(value: number, whole: number): boolean;
  /** Largest part of the F32 bytes, in percent, from which on it must hold in a model file with default options. */
  readonly most: number;
  /** What it is to reach, where that is less. */
  readonly must?: number;
}

/** One after another, because each has its network and its samples in memory. */
export function* measuredTasks(): Generator<MeasuredTask> {
  installPackages();
  yield recogniserTask();
  yield detectorTask();
  yield {
    ...fromWeights(mnistCnnTask(300)),
    bound: '97 % of 300 right',
    holds: (right) => right >= 0.97,
    most: 3,
  };
  yield {
    ...fromWeights(mnistTask(500)),
    bound: '94 % of 500 right',
    holds: (right) => right >= 0.94,
    most: 3.5,
  };
  yield {
    ...fromWeights(charrnnTask(1200)),
    bound: 'within 0.1 bits a character, first 1,200',
    holds: (bits, whole) => bits <= whole + 0.1,
    most: 15.5,
    must: 14.5,
  };
  yield {
    ...fromWeights(g2pTask(120)),
    bound: '1 − phoneme error rate ≥ 0.93, 120 words',
    holds: (rate) => rate >= 0.93,
    most: 11.5,
  };
  yield digitsTask();
  yield speechTask();
  yield transformerTask();
}

function fromWeights(task: Task): Task & Pick<MeasuredTask, 'source'> {
  return { ...task, source: readWeightFile(task.name as WeightFile) };
}
