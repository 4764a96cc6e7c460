import { formatHash } from '../../models/file/plan.js';
import { parseJson } from '../../src/bytes/json.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { TensorPlan } from '../../src/encodings/embedded/plan.js';
import type { Scales } from '../../src/encodings/embedded/streamHeader.js';
import { FormatError } from '../../src/errors.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { folderOfNotes } from '../notes.js';
import { sha256 } from '../sha256.js';
import { type BulkStorage, MAX_RECORD_BYTES, readJson, writeJson } from '../storage/storage.js';
import type { Unit } from '../units.js';

/** The plan of a tensor that is divided, as it is stored: JSON, and its hash. */

/** A plan, and what keys of ranges have of it. */
export interface StoredPlan {
  readonly plan: TensorPlan;
  /** SHA-256: 64 hexadecimal digits. */
  readonly id: string;
}

interface PlanNote {
  readonly text: string;
  /** XXH3-64 of the text: 16 hexadecimal digits. */
  readonly hash: string;
}

const keyOf = (id: string, { number }: Unit) => `${folderOfNotes(id)}${number}.plan.json`;

/** A plan that cannot be read counts as none. */
export async function readPlan(
  storage: BulkStorage,
  id: string,
  unit: Unit,
  kernels: Pick<Kernels, 'xxh3'>,
  options: AbortOptions,
): Promise<StoredPlan | undefined> {
  const note = await readJson(storage, keyOf(id, unit), options).catch((error: unknown) => {
    if (error instanceof FormatError) return undefined;
    throw error;
  });
  const { text, hash } = (note ?? {}) as Partial<PlanNote>;
  if (typeof text !== 'string' || hashOf(text, kernels) !== hash) return undefined;
  return { plan: parse(text), id: sha256(text) };
}

export async function writePlan(
  storage: BulkStorage,
  id: string,
  unit: Unit,
  plan: TensorPlan,
  kernels: Pick<Kernels, 'xxh3'>,
  options: AbortOptions,
): Promise<StoredPlan> {
  const text = serialize(plan);
  const note: PlanNote = { text, hash: hashOf(text, kernels) };
  await writeJson(storage, keyOf(id, unit), note, options);
  return { plan, id: sha256(text) };
}

const hashOf = (text: string, { xxh3 }: Pick<Kernels, 'xxh3'>) => formatHash(xxh3(Buffer.from(text)));

/** Scales are as many as the tensor has rows and columns: bytes in base64, and so are codes. */
function serialize({ scales, coding, ...rest }: TensorPlan): string {
  const { planes, nonzero } = coding;
  return JSON.stringify({
    ...rest,
    scales: scales && {
      rowLength: scales.rowLength,
      rows: scales.rows && textOf(scales.rows),
      columns: scales.columns && textOf(scales.columns),
    },
    coding: {
      ...coding,
      planes: planes.map(({ selection, fixed, ...plane }) => ({
        ...plane,
        selection: textOf(selection),
        fixed: fixed && textOf(fixed),
      })),
      nonzero: nonzero && textOf(nonzero),
    },
  });
}

/** Its hash has been verified: it is what was written. */
function parse(text: string): TensorPlan {
  const value = parseJson(text, 'Cannot read the plan of a tensor', MAX_RECORD_BYTES);
  const { scales, coding, ...rest } = value as PlanText;
  return {
    ...rest,
    scales: scales && {
      rowLength: scales.rowLength,
      rows: scales.rows === undefined ? undefined : new Int8Array(bytesOf(scales.rows)),
      columns: scales.columns === undefined ? undefined : new Int8Array(bytesOf(scales.columns)),
    },
    coding: {
      ...coding,
      planes: coding.planes.map(({ selection, fixed, ...plane }) => ({
        ...plane,
        selection: bytesOf(selection),
        fixed: fixed === undefined ? undefined : new Uint16Array(bytesOf(fixed).buffer),
      })),
      nonzero: coding.nonzero === undefined ? undefined : bytesOf(coding.nonzero),
    },
  };
}

/** A type whose arrays of bytes have become texts. */
type AsText<T> = T extends Uint8Array | Int8Array | Uint16Array
  ? string
  : T extends object
    ? { readonly [K in keyof T]: AsText<T[K]> }
    : T;

type PlanText = Omit<AsText<TensorPlan>, 'scales'> & { readonly scales: AsText<Scales> | undefined };

const textOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBufferLike>) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
