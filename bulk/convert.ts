import { checkFragmentOptions, type EncodeTools } from '../models/file/encodeTensor.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import {
  callback,
  check,
  checkOptions,
  flag,
  type Rule,
  type Rules,
  wholeNumber,
} from '../src/checks/options.js';
import { record } from '../src/checks/rules.js';
import { loadCodec } from '../src/codecs/loadCodec.js';
import { ArgumentError } from '../src/errors.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { eachBounded } from '../workers/eachBounded.js';
import { loadPool } from '../workers/loadPool.js';
import type { WorkersOption } from '../workers/pool.js';
import { WORKERS } from '../workers/task.js';
import { checkBeside } from './besideFiles.js';
import { encodePart } from './encodePart.js';
import { encodeUnit } from './encodeUnit.js';
import { findJoined, joinModel } from './joinModel.js';
import {
  BULK_MODELS,
  type BulkEncodeOptions,
  type BulkModel,
  ENCODE_RULES,
  tensorChoices,
  unitsOf,
} from './models.js';
import type { UnitNote } from './notes.js';
import { openBulkModel } from './openModel.js';
import { checkOutput } from './storage/key.js';
import { type BulkStorage, STORAGE } from './storage/storage.js';
import type { UnitContext } from './unitContext.js';
import { partsOf, partsOfShard, type Shard, type Unit, type UnitPart } from './units.js';

export interface ConvertOptions extends BulkEncodeOptions, WorkersOption, AbortOptions {
  /** Encode only the units of this shard, and join nothing: other processes have the other shards. */
  readonly shard?: Shard | undefined;
  /** With a shard: join its models in place of encoding its units, once all shards have encoded theirs. */
  readonly join?: boolean | undefined;
  /** Called with each unit and each model file. */
  readonly onProgress?: ((progress: BulkProgress) => void) | undefined;
}

/** How far the conversion of one model is. */
export interface BulkProgress {
  readonly output: string;
  /** A unit that is encoded or found, or bytes of the model file. */
  readonly stage: 'encode' | 'join';
  /** Of the tensors, or of the model file. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/** The result for one model. Counts are of this run. */
export interface ConvertedModel {
  readonly output: string;
  /** Undefined when the run was to encode only. */
  readonly fileSize: number | undefined;
  readonly encodedUnits: number;
  /** Those that the storage had. */
  readonly foundUnits: number;
  /** Why the model was not converted: it stops no other. Undefined when it was. */
  readonly error?: unknown;
}

const SHARD: Rule<Shard> = (value) =>
  record<Shard>({ index: wholeNumber(), count: wholeNumber(1) })(value) ||
  ((value as Shard).index >= (value as Shard).count && 'an index below the count');

const RULES: Rules<ConvertOptions> = {
  ...ENCODE_RULES,
  ...ABORT_RULES,
  workers: WORKERS,
  shard: SHARD,
  join: flag,
  onProgress: callback,
};

/**
 * Converts models to model files in a storage, in this process; the graph of an ONNX model is beside its model file. What the
 * storage has is not made again. With `shard`, any
 * number of processes divide the work among them. The files are those of `encodeModelFile`, byte for byte. A model that
 * fails has the error in its result.
 *
 * @throws ArgumentError for options that cannot work; the reason of the signal
 */
export async function convertModels(
  models: readonly BulkModel[],
  storage: BulkStorage,
  options: ConvertOptions = {},
): Promise<readonly ConvertedModel[]> {
  checkOptions(options, RULES);
  check('storage', storage, STORAGE);
  checkModels(models, options);
  const tools = await loadTools(options);
  const { shard, join = false, signal } = options;
  const results: ConvertedModel[] = [];
  const taken = new Set(models.map(({ output }) => output));
  for (const [number, model] of models.entries()) {
    if (join && shard !== undefined && number % shard.count !== shard.index) continue;
    try {
      results.push(await convertModel(model, storage, tools, options, taken));
    } catch (error) {
      signal?.throwIfAborted();
      results.push({ output: model.output, fileSize: undefined, encodedUnits: 0, foundUnits: 0, error });
    }
  }
  return results;
}

/** @throws ArgumentError, also when a key is not one for a model, or two models have the same */
export function checkModels(models: readonly BulkModel[], { encode = {} }: BulkEncodeOptions): void {
  check('models', models, BULK_MODELS);
  const outputs = new Set<string>();
  for (const { output } of models) {
    if (outputs.has(checkOutput(output)))
      throw new ArgumentError('Cannot convert the models: two have the same output', { name: output });
    outputs.add(output);
  }
  checkFragmentOptions(encode);
}

export async function loadTools({ workers }: WorkersOption): Promise<EncodeTools> {
  const [kernels, codec, pool] = await Promise.all([loadKernels(), loadCodec('zstd'), loadPool(workers)]);
  return { kernels, codec, pool };
}

async function convertModel(
  model: BulkModel,
  storage: BulkStorage,
  tools: EncodeTools,
  options: ConvertOptions,
  taken: Set<string>,
): Promise<ConvertedModel> {
  const { shard, join = false, signal, onProgress } = options;
  const { output } = model;
  await using opened = await openBulkModel(model, options, { signal });
  await checkBeside({ opened, storage }, model, taken);
  const context: UnitContext = {
    opened,
    choices: tensorChoices(options),
    options,
    storage,
    tools,
  };
  const joined = await findJoined(context, output, { signal });
  if (joined !== undefined) return { output, fileSize: joined.size, encodedUnits: 0, foundUnits: 0 };
  const units = unitsOf(opened, options);
  const parts = partsOf(units);
  const mine = shard === undefined || join ? parts : partsOfShard(parts, shard);
  const notes = new Map<number, UnitNote>();
  const totalBytes = mine.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let encodedUnits = 0;
  let bytes = 0;
  const encode = encodePart(context);
  // One more than are encoded at a time: it is read meanwhile.
  const limit = (tools.pool?.size ?? 1) + 1;
  await eachBounded(
    plansFirst(mine),
    limit,
    async (part, own) => {
      const { note, isNew } = await encode(part, { signal: own });
      if (note !== undefined) notes.set(part.unit.number, note);
      if (isNew) encodedUnits++;
      bytes += part.byteLength;
      onProgress?.({ output, stage: 'encode', bytes, totalBytes });
    },
    signal,
  );
  const counts = { encodedUnits, foundUnits: mine.length - encodedUnits };
  if (shard !== undefined && !join) return { output, fileSize: undefined, ...counts };
  const divided = units.filter(({ ranges }) => ranges !== undefined);
  const finish = async (unit: Unit, own: AbortSignal) => {
    notes.set(unit.number, (await encodeUnit(context, unit, { signal: own })).note);
  };
  await eachBounded(divided, limit, finish, signal);
  const { fileSize } = await joinModel(context, units, notes, output, {
    signal,
    onProgress: (bytes, totalBytes) => onProgress?.({ output, stage: 'join', bytes, totalBytes }),
  });
  return { output, fileSize, ...counts };
}

/**
 * First what makes the plan of each tensor that is divided: other processes find it when they come to the ranges, which are
 * last.
 */
function plansFirst(parts: readonly UnitPart[]): UnitPart[] {
  const turn = ({ range }: UnitPart) => (range === undefined ? 1 : range.number === 0 ? 0 : 2);
  return parts.toSorted((a, b) => turn(a) - turn(b));
}
