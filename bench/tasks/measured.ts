/** The tasks that model files are measured by, and what they must reach. */
import { charrnnTask } from '../../test/helpers/tasks/charrnn.js';
import { g2pTask } from '../../test/helpers/tasks/g2p.js';
import { mnistCnnTask, mnistTask } from '../../test/helpers/tasks/mnist.js';
import type { Task } from '../../test/helpers/tasks/task.js';
import { readWeightFile, type WeightFile } from '../../test/helpers/weights.js';
import { digitsTask } from './digits.js';
import type { MeasuredTask } from './measuredTask.js';
import { detectorTask, recogniserTask } from './ocr.js';
import { installPackages } from './onnxRuntime.js';
import { speechTask } from './speech.js';
import { transformerTask } from './transformer/task.js';

/** One after another, because each has its network and its samples in memory. */
export function* measuredTasks(): Generator<MeasuredTask> {
  installPackages();
  yield recogniserTask();
  yield detectorTask();
  yield {
    ...fromWeights(mnistCnnTask(300)),
    bound: '97 % of 300 right',
    limit: () => 0.97,
    better: 'more',
    most: 2.5,
    must: 3,
  };
  yield {
    ...fromWeights(mnistTask(500)),
    bound: '94 % of 500 right',
    limit: () => 0.94,
    better: 'more',
    most: 3,
    must: 3.5,
  };
  yield {
    ...fromWeights(charrnnTask(1200)),
    bound: 'within 0.1 bits a character, first 1,200',
    limit: (whole) => whole + 0.1,
    better: 'less',
    most: 14.5,
    must: 14.5,
  };
  yield {
    ...fromWeights(g2pTask(120)),
    bound: '1 − phoneme error rate ≥ 0.93, 120 words',
    limit: () => 0.93,
    better: 'more',
    most: 10.5,
    must: 12,
  };
  yield digitsTask();
  yield speechTask();
  yield transformerTask();
}

function fromWeights(task: Task): Task & Pick<MeasuredTask, 'source'> {
  return { ...task, source: readWeightFile(task.name as WeightFile) };
}
