import { encodeModel } from '../../models/directory/encodeModel.js';
import { type MemorySink, memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { byteLengthOf, type DType } from '../../src/tensor/dtype.js';
import { fromFloat32 } from '../../src/tensor/numbers.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { encodeToModelFile, modelFileOf } from '../helpers/modelFiles.js';
import { modelOf, type TestTensor } from '../helpers/models.js';
import { noise, pseudoRandomBytes } from '../helpers/random.js';

/** A tensor as it must be loaded. */
export interface ExpectedTensor extends TestTensor {
  readonly bytes: Uint8Array;
}

/** A model in one of its forms. */
export interface StoredModel {
  /** What is opened, among the files that {@link storedModels} makes; a folder ends with a slash. */
  readonly path: string;
  readonly form: 'file' | 'folder' | 'index';
  /** Checksums notice every damage. */
  readonly sealed: boolean;
  /** Its tensors come in fragments, and have qualities below 1. */
  readonly progressive: boolean;
  readonly tensors: ReadonlyMap<string, ExpectedTensor>;
}

const SMALL: readonly TestTensor[] = [
  { name: 'fc1.weight', dtype: 'F32', shape: [90, 80] },
  { name: 'fc1.bias', dtype: 'F32', shape: [90] },
  { name: 'a/b', dtype: 'BF16', shape: [64, 33] },
  { name: 'é\n\u001b[31m', dtype: 'F16', shape: [2, 3, 4, 5, 6] },
  { name: '__proto__', dtype: 'I64', shape: [4] },
  { name: 'empty', dtype: 'F32', shape: [0, 4] },
  { name: 'counts', dtype: 'U8', shape: [150_000] },
];

/** Large enough for worker threads. */
const LARGE: readonly TestTensor[] = ['q', 'k'].map((name) => ({ name, dtype: 'F32', shape: [300, 300] }));

/** Small numbers, as weights are; of other dtypes any bytes. */
function weights({ dtype }: TestTensor, byteLength: number, index: number): Uint8Array {
  if (!['F32', 'F16', 'BF16'].includes(dtype)) return pseudoRandomBytes(byteLength, index + 1);
  const elements = byteLength / byteLengthOf(dtype as DType, 1);
  return viewBytes(
    fromFloat32(
      dtype as DType,
      noise(elements, index + 1).map((x) => x / 16),
    ),
  );
}

/** Models in every form, and their files by path. */
export async function storedModels(): Promise<{
  readonly models: readonly StoredModel[];
  readonly files: ReadonlyMap<string, Uint8Array>;
}> {
  const models: StoredModel[] = [];
  const files = new Map<string, Uint8Array>();
  for (const [name, declared] of Object.entries({ small: SMALL, large: LARGE })) {
    const plain = modelOf(declared, undefined, weights);
    const half = Math.ceil(declared.length / 2);
    const shards = {
      'one.safetensors': modelOf(declared.slice(0, half), undefined, weights),
      'two.safetensors': modelOf(declared.slice(half), undefined, weights),
    };
    const whole = tensorsOf(plain);
    const parts = new Map(Object.values(shards).flatMap((shard) => [...tensorsOf(shard)]));
    const add = (path: string, more: Omit<StoredModel, 'path'>, made: Record<string, Uint8Array>) => {
      models.push({ path: `${name}/${path}`, ...more });
      for (const [file, bytes] of Object.entries(made)) files.set(`${name}/${file}`, bytes);
    };
    const plainForm = { sealed: false, progressive: false, tensors: whole } as const;
    add('plain.safetensors', { ...plainForm, form: 'file' }, { 'plain.safetensors': plain });
    const modelFile = { ...plainForm, form: 'file', sealed: true, progressive: true } as const;
    add('model.holo.safetensors', modelFile, { 'model.holo.safetensors': await modelFileOf(plain) });
    const sharded = { ...modelFile, tensors: parts };
    add('sharded.holo.safetensors', sharded, { 'sharded.holo.safetensors': await encodeToModelFile(shards) });
    const folder = { ...plainForm, form: 'folder', sealed: true } as const;
    add('lz4/', folder, await directoryOf('lz4', plain));
    add('zstd/', folder, await directoryOf('zstd', plain));
    const index = { ...plainForm, form: 'index', tensors: parts } as const;
    add('model.safetensors.index.json', index, {
      ...shards,
      'model.safetensors.index.json': indexOf(shards),
    });
  }
  return { models, files };
}

async function directoryOf(
  algorithm: 'lz4' | 'zstd',
  plain: Uint8Array,
): Promise<Record<string, Uint8Array>> {
  const sinks = new Map<string, MemorySink>();
  const openFile = async (name: string) => {
    const sink = memorySink();
    sinks.set(`${algorithm}/${name}`, sink);
    return sink;
  };
  await encodeModel(bytesSource(plain), openFile, { algorithm, blockSize: 4096 });
  return Object.fromEntries(Array.from(sinks, ([name, { bytes }]) => [name, bytes]));
}

function indexOf(shards: Record<string, Uint8Array>): Uint8Array {
  const places = Object.entries(shards).flatMap(([file, bytes]) =>
    parseSafetensorsHeader(bytes).tensors.map(({ name }): [string, string] => [name, file]),
  );
  // Not by assignment: a name is __proto__.
  return new TextEncoder().encode(JSON.stringify({ weight_map: Object.fromEntries(places) }));
}

function tensorsOf(file: Uint8Array): ReadonlyMap<string, ExpectedTensor> {
  return new Map(
    parseSafetensorsHeader(file).tensors.map(({ name, dtype, shape, offset, byteLength }) => [
      name,
      { name, dtype, shape, bytes: file.subarray(offset, offset + byteLength) },
    ]),
  );
}
