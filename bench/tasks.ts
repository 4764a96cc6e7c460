/**
 * How many bytes real networks need until they work, from model files in their order: the smallest part of the F32 bytes
 * from which on each stays within its bound. `-- tasks --check` fails when a task needs more than it may; it tries a few parts
 * only, of the default order.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeToModelFile } from '../test/helpers/modelFiles.js';
import { missingWeights } from '../test/helpers/weights.js';
import { type MeasuredTask, measuredTasks } from './tasks/measured.js';
import { partsDownTo, smallestPart } from './tasks/smallestPart.js';
import { VARIANTS, type Variant } from './tasks/variants.js';

export async function run(options: readonly string[]): Promise<void> {
  const missing = missingWeights();
  if (missing !== undefined) throw new Error(missing);
  await (options.includes('--check') ? check() : measure());
}

async function measure(): Promise<void> {
  const names = Object.keys(VARIANTS) as Variant[];
  const row = (name: string, cells: readonly (number | string | undefined)[], bound: string) =>
    console.log(
      [name.padEnd(24), ...cells.map((cell) => String(cell ?? '').padStart(9)), ` ${bound}`].join(' '),
    );
  row('% of the F32 bytes', [...names, 'at most', 'must'], '');
  for (const task of measuredTasks()) {
    const found: string[] = [];
    for (const name of names) {
      const { smallest } = await smallestPart(task, await fileOf(task, name), await wholeValue(task));
      found.push(String(smallest ?? 'never'));
    }
    row(task.name, [...found, task.most, task.must], task.bound);
  }
}

async function check(): Promise<void> {
  const test = suite('networks work from the part of their bytes on that they may need');
  for (const task of measuredTasks()) {
    test(task.name, async () => {
      const whole = await wholeValue(task);
      const { smallest, points } = await smallestPart(
        task,
        await fileOf(task, 'default'),
        whole,
        partsDownTo(task.most),
      );
      console.log(
        `${task.name}: ${points.map(({ part, value }) => `${part} % ${value.toFixed(3)}`).join(', ')}`,
      );
      assert.is(smallest, task.most, task.bound);
    });
  }
  // It sets the exit code.
  test.run();
}

function fileOf({ source }: MeasuredTask, variant: Variant): Promise<Uint8Array> {
  return encodeToModelFile({ 'model.safetensors': source }, VARIANTS[variant]);
}

async function wholeValue({ tensors, evaluate }: MeasuredTask): Promise<number> {
  return evaluate(new Map(tensors.map(({ name, data }) => [name, data])));
}
