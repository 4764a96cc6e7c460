import type { EncodeTools } from '../../models/file/encodeTensor.js';
import { CUTS_VERSION } from '../../models/file/stageTensors.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import {
  type EncodeTileRange,
  encodeTileRange,
  type TileRange,
} from '../../src/encodings/embedded/tileRange.js';
import { FormatError } from '../../src/errors.js';
import { DTYPES } from '../../src/tensor/dtype.js';
import type { Buffers } from '../../workers/buffers.js';
import { readRangeNote, writeRangeNote } from '../notes.js';
import { sha256 } from '../sha256.js';
import type { UnitContext } from '../unitContext.js';
import { unitObject } from '../unitFile.js';
import type { TileRangeOfUnit, Unit } from '../units.js';
import type { StoredPlan } from './planNote.js';
import { readRange, serializeRange } from './rangeFile.js';

/** Where a range has been encoded. */
export interface RangeResult {
  /** Of its object. */
  readonly key: string;
  /** False when an earlier run, or another model, has encoded it. */
  readonly isNew: boolean;
}

/** Encodes a range of a tensor, unless the storage has it. Memory: the range, a few times over. */
export async function encodeRange(
  { opened, storage, tools }: UnitContext,
  unit: Unit,
  range: TileRangeOfUnit,
  { plan, id }: StoredPlan,
  { signal }: AbortOptions,
): Promise<RangeResult> {
  const noted = await readRangeNote(storage, opened.id, unit, range, { signal });
  if (noted !== undefined && (await storage.head(unitObject(noted), { signal })) !== undefined)
    return { key: noted, isNew: false };
  const { dtype, source, offset } = unit.tensors[0]!;
  const data = await source.read(offset + range.offset, range.byteLength, { signal });
  const facts = JSON.stringify([CUTS_VERSION, id, dtype, range.firstTile]);
  const key = sha256(facts, [data]);
  let isDamaged = false;
  const found = await readRange(storage, key, range, plan, tools.kernels, { signal }).catch(
    (error: unknown) => {
      if (!(error instanceof FormatError)) throw error;
      isDamaged = true;
      return undefined;
    },
  );
  if (found === undefined) {
    const known = DTYPES.find((one) => one === dtype)!;
    const encoded = await encode({ plan, dtype: known, firstTile: range.firstTile, data }, tools, { signal });
    const bytes = serializeRange(encoded, range, plan, tools.kernels);
    await (isDamaged
      ? storage.put(unitObject(key), bytes, { signal })
      : storage.create(unitObject(key), bytes, { signal }));
  }
  await writeRangeNote(storage, opened.id, unit, range, key, { signal });
  return { key, isNew: found === undefined };
}

async function encode(
  input: EncodeTileRange,
  { pool }: EncodeTools,
  { signal }: AbortOptions,
): Promise<TileRange> {
  if (pool === undefined) return (await encodeTileRange(input)).output;
  const prepare = (buffers: Buffers) => {
    const data = buffers.copy(input.data);
    return { input: { ...input, data }, borrowed: data === input.data ? [] : [data.buffer] };
  };
  return pool.runPrepared('encodeTileRange', prepare, { signal });
}
