/**
 * How many bytes real networks need until they work, from model files in their order: the smallest part of the F32 bytes
 * from which on each stays within its bound. `-- tasks --check` fails when a task needs more than it must.
 */
import { encodeToModelFile } from '../test/helpers/modelFiles.js';
import { missingWeights } from '../test/helpers/weights.js';
import { measuredTasks } from './tasks/measured.js';
import { smallestPart } from './tasks/smallestPart.js';

const VARIANTS = {
  default: {},
  elements: { order: 'elements' },
  spectral: { encode: { encoding: 'spectral' } },
} as const;

export async function run(options: readonly string[]): Promise<void> {
  const missing = missingWeights();
  if (missing !== undefined) throw new Error(missing);
  const check = options.includes('--check');
  const names = check ? (['default'] as const) : (Object.keys(VARIANTS) as (keyof typeof VARIANTS)[]);
  console.log(
    ['% of the F32 bytes'.padEnd(24), ...names.map((name) => name.padStart(9)), '     must'].join(' '),
  );
  for (const measured of measuredTasks()) {
    const { name, bound, source, tensors, must } = measured;
    const whole = await measured.evaluate(new Map(tensors.map(({ name, data }) => [name, data])));
    const found: string[] = [];
    for (const variant of names) {
      const file = await encodeToModelFile({ 'model.safetensors': source }, VARIANTS[variant]);
      const { smallest = Number.POSITIVE_INFINITY } = await smallestPart(measured, file, whole);
      found.push(String(smallest).padStart(9));
      if (check && smallest > must) process.exitCode = 1;
    }
    console.log([name.padEnd(24), ...found, String(must).padStart(9), ` ${bound}`].join(' '));
  }
}
