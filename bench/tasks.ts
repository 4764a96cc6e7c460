/**
 * How many bytes real networks need until they work, from model files in their order: the smallest part of the F32 bytes
 * from which on each stays within its bound. `-- tasks --plot` draws their quality before and after to `docs/tasks.svg`.
 * `-- tasks --check` fails when a task needs more than it may; it tries a few parts only, of the default order.
 */
import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeToModelFile } from '../test/helpers/modelFiles.js';
import { missingWeights } from '../test/helpers/weights.js';
import { drawTasks, type Panel } from './tasks/draw.js';
import { measuredTasks } from './tasks/measured.js';
import type { MeasuredTask } from './tasks/measuredTask.js';
import { partsDownTo, smallestPart, type Tried } from './tasks/smallestPart.js';
import { VARIANTS, type Variant } from './tasks/variants.js';

const PICTURE = new URL('../docs/tasks.svg', import.meta.url);
/** Coarser steps for a picture, which goes on to where tasks do not hold any more. */
const PICTURED = {
  parts: [100, 60, 40, 30, 24, 20, 18, 16, 14.5, 13, 11.5, 10, 8, 6.5, 5, 4, 3.5, 3, 2.5, 2],
  below: [0.85, 0.6],
} as const;

export async function run(options: readonly string[]): Promise<void> {
  const missing = missingWeights();
  if (missing !== undefined) throw new Error(missing);
  if (options.includes('--check')) return check();
  const panels = await measure(options.includes('--plot') ? PICTURED : {});
  if (options.includes('--plot')) writeFileSync(PICTURE, drawTasks(panels));
}

async function measure(tried: Tried): Promise<Panel[]> {
  const names = Object.keys(VARIANTS) as Variant[];
  const row = (name: string, cells: readonly (number | string | undefined)[], bound: string) =>
    console.log(
      [name.padEnd(24), ...cells.map((cell) => String(cell ?? '').padStart(9)), ` ${bound}`].join(' '),
    );
  row('% of the F32 bytes', [...names, 'at most', 'must'], '');
  const panels: Panel[] = [];
  for (const task of measuredTasks()) {
    const found = [];
    for (const name of names)
      found.push({ name, ...(await smallestPart(task, await fileOf(task, name), tried)) });
    row(task.name, [...found.map(({ smallest }) => smallest ?? 'never'), task.most, task.must], task.bound);
    const { limit, better, name } = task;
    panels.push({ name, better, limit: limit(found[0]!.whole), curves: found });
  }
  return panels;
}

async function check(): Promise<void> {
  const test = suite('networks work from the part of their bytes on that they may need');
  for (const task of measuredTasks()) {
    test(task.name, async () => {
      const parts = partsDownTo(task.most);
      const { smallest, points } = await smallestPart(task, await fileOf(task, 'default'), { parts });
      console.log(
        `${task.name}: ${points.map(({ part, value }) => `${Number(part.toPrecision(3))} % ${value.toFixed(3)}`).join(', ')}`,
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
