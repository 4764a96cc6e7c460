import { formatFor } from '../../models/directory/encodeModel.js';
import { cutBy, isShort, isWorthEncoding } from '../../models/file/encodeTensor.js';
import { type LocatedTensor, readModelSource } from '../../models/file/sourceFiles.js';
import { openModelFiles } from '../input/modelInput.js';
import { openTensor } from '../input/tensorInput.js';
import type { EncodeOptions } from '../options.js';
import { formatBytes } from '../progress.js';
import { counted, formatShape, type Report, table } from '../report.js';
import { encoderOptions } from './encoderOptions.js';
import { checkNames } from './names.js';

/** A tensor as it would be written. */
interface PlannedTensor {
  readonly name: string | undefined;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly becomes: string;
}

export type Plan = readonly PlannedTensor[];

/** What one tensor would become: the options are checked, its bytes are not read. */
export async function planTensor(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Plan> {
  if (!options.output.endsWith('.holo'))
    return [{ ...(await examined(names, options, signal)), becomes: 'HCT' }];
  const { encoding = 'embedded' } = options;
  const own = encoderOptions(encoding, options);
  const tensor = await examined(names, options, signal);
  const { fragments = 8 } = { ...own };
  return [{ ...tensor, becomes: `${encoding}, at most ${options.qualities?.length ?? fragments} fragments` }];
}

async function examined(names: readonly string[], options: EncodeOptions, signal: AbortSignal) {
  await using tensor = await openTensor(names, options, { signal });
  const { name, dtype, shape, byteLength } = tensor;
  return { name, dtype, shape, byteLength };
}

export async function planDirectory(
  names: readonly string[],
  _: EncodeOptions,
  signal: AbortSignal,
): Promise<Plan> {
  const tensors = await tensorsOf(names, signal);
  return tensors.map((tensor) => ({ ...tensor, becomes: formatFor(tensor) === 'hct' ? 'HCT' : 'raw bytes' }));
}

export async function planModelFile(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Plan> {
  const { encoding = 'embedded', keep = [] } = options;
  const own = { encoding, ...encoderOptions(encoding, options) };
  const tensors = await tensorsOf(names, signal);
  await checkNames(tensors, options);
  return tensors.map((tensor) => {
    const isKept =
      !(isWorthEncoding(tensor) || isShort(tensor)) || keep.some((pattern) => pattern.test(tensor.name));
    if (isKept) return { ...tensor, becomes: 'whole' };
    const how = cutBy(tensor, own);
    if (how === 'short') return { ...tensor, becomes: 'two parts' };
    return { ...tensor, becomes: `at most ${how.qualities?.length ?? how.fragments} fragments` };
  });
}

async function tensorsOf(names: readonly string[], signal: AbortSignal): Promise<readonly LocatedTensor[]> {
  await using model = await openModelFiles(names, { signal });
  return (await readModelSource(model.files, { signal })).tensors;
}

export function describePlan(output: string, kind: string, plan: Plan): Report {
  const tensors = plan.map(({ name, dtype, shape, byteLength, becomes }) => ({
    ...{ name, dtype, shape, byteLength, becomes },
  }));
  const originalSize = plan.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const rows = plan.map(({ name = '', dtype, shape, byteLength, becomes }) => [
    ...[name, dtype, formatShape(shape), formatBytes(byteLength), becomes],
  ]);
  return {
    data: { output, dryRun: true, originalSize, tensors },
    lines: [
      `would write ${output}, ${kind} of ${counted(plan.length, 'tensor')}, ${formatBytes(originalSize)}`,
      '',
      ...table(['name', 'dtype', 'shape', 'size', 'becomes'], rows),
    ],
  };
}
