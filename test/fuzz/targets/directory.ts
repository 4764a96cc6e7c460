import { type EncodeModelOptions, encodeModel } from '../../../models/directory/encodeModel.js';
import { MANIFEST_NAME, parseManifest } from '../../../models/directory/manifest.js';
import { ModelReader } from '../../../models/directory/modelReader.js';
import { TensorHash } from '../../../models/directory/tensorHash.js';
import { openModel } from '../../../models/openModel.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { concatBytes } from '../../helpers/bytes.js';
import { modelOf, type TestTensor } from '../../helpers/models.js';
import type { Reading, Seed, Target } from '../target.js';
import { archiveAnatomy, archiveLimits, opener, pack, unpack } from './archive.js';
import { hctAnatomy } from './hctAnatomy.js';
import { loadedReading, type ReadTensor, tensorsReading } from './tensors.js';

/** Model directories: a manifest, and the files that it lists. */

const MAX_BYTES = 2 ** 18;
const LIMITS = { limits: archiveLimits(MAX_BYTES) };

export async function directoryTargets(): Promise<Target[]> {
  const kernels = await loadKernels(['xxh3']);
  const hashOf = (bytes: Uint8Array) => {
    const hash = new TensorHash(kernels);
    hash.update(bytes);
    return hash.digest();
  };
  const memory = (input: Uint8Array) => 2 ** 22 + 64 * MAX_BYTES + 64 * input.length;
  const directories = await seeds();
  return [
    {
      name: 'directory',
      seeds: directories,
      anatomy: archiveAnatomy((files, sizes) => repair(files, sizes, hashOf)),
      ways: [
        { name: 'read', read: readAll },
        { name: 'loaded', read: load },
        { name: 'row by row', every: 2, read: readRows },
      ],
      memory,
    },
    {
      name: 'manifest',
      seeds: directories.map(({ name, bytes }) => ({
        name,
        bytes: unpack(bytes).get(MANIFEST_NAME)!,
        sealed: false,
      })),
      anatomy: {
        split: (input) => [{ kind: 'manifest', bytes: input, json: true }],
        join: ([part]) => part?.bytes ?? new Uint8Array(0),
      },
      ways: [{ name: 'parsed', read: parse }],
      memory,
    },
  ];
}

async function readAll(input: Uint8Array): Promise<Reading> {
  const reader = await ModelReader.open(opener(unpack(input)), LIMITS);
  let left: number = MAX_BYTES;
  const tensors = [];
  for (const { name, byteLength } of reader.manifest.tensors) {
    left -= byteLength;
    // The model has a limit for all of them.
    const limits = { ...LIMITS.limits, tensorBytes: Math.max(0, left + byteLength) };
    const { dtype, shape, data } = await reader.read(name, { limits });
    tensors.push({ name, dtype, shape, bytes: viewBytes(data) });
  }
  return tensorsReading(tensors);
}

async function load(input: Uint8Array): Promise<Reading> {
  const model = await openModel(opener(unpack(input)), LIMITS);
  try {
    return await loadedReading(model);
  } finally {
    await model.close();
  }
}

/** Row by row, where the whole is accepted: rows alone are not compared with its hash. */
async function readRows(input: Uint8Array): Promise<Reading> {
  const whole = await load(input);
  const model = await openModel(opener(unpack(input)), LIMITS);
  try {
    const tensors: ReadTensor[] = [];
    for (const { name, dtype, shape, byteLength } of model.tensors) {
      const [rows = 0] = shape;
      if (rows === 0 || rows > 64 || byteLength % rows > 0) return whole;
      const parts: Uint8Array[] = [];
      for (let row = 0; row < rows; row++) parts.push(viewBytes((await model.rows(name, row, row + 1)).data));
      tensors.push({ name, dtype, shape, bytes: concatBytes(parts) });
    }
    return tensorsReading(tensors);
  } finally {
    await model.close();
  }
}

/** What is accepted can be written again, and is then read as the same. */
function parse(input: Uint8Array): Reading {
  const { metadata, tensors, files } = parseManifest(new TextDecoder().decode(input), LIMITS);
  return { facts: JSON.stringify([[...metadata], tensors, files]) };
}

/** Sizes of files; checksums of HCT files; hashes of tensors that are stored as they are. */
function repair(files: Map<string, Uint8Array>, sizes: boolean, hashOf: (bytes: Uint8Array) => string): void {
  for (const [name, bytes] of files) {
    if (name.endsWith('.hct')) files.set(name, hctAnatomy.join(hctAnatomy.split(bytes), sizes));
  }
  const manifest = JSON.parse(new TextDecoder().decode(files.get(MANIFEST_NAME)));
  for (const tensor of manifest.tensors) {
    const file = files.get(tensor.file);
    if (file === undefined) continue;
    if (sizes) tensor.fileSize = file.length;
    if (tensor.format === 'raw') tensor.xxh3 = hashOf(file);
  }
  files.set(MANIFEST_NAME, new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
}

async function seeds(): Promise<Seed[]> {
  const small: readonly TestTensor[] = [
    { name: 'w', dtype: 'F32', shape: [2, 3] },
    { name: 'n', dtype: 'I64', shape: [2] },
  ];
  const more: readonly TestTensor[] = [
    { name: 'a/b', dtype: 'BF16', shape: [20, 9] },
    { name: 'A/B', dtype: 'F16', shape: [2, 3, 4, 5] },
    { name: '', dtype: 'F32', shape: [] },
    { name: 'empty', dtype: 'I8', shape: [0, 4] },
  ];
  const rows = more.filter(({ shape }) => (shape[0] ?? 0) > 0);
  return [
    await seed('small', modelOf(small)),
    withoutHeaders(await seed('small-without-headers', modelOf(small))),
    await seed('more', modelOf(more, new Map([['format', 'pt']]))),
    withoutHeaders(await seed('more-without-headers', modelOf(more))),
    await seed('none', modelOf([])),
    await seed('version-1', modelOf(rows), { version: 1, algorithm: 'zstd' }),
  ];
}

/** As directories of before are: what their manifests say of tensors is in one place. */
function withoutHeaders({ name, bytes, sealed }: Seed): Seed {
  const files = new Map(unpack(bytes));
  const { files: _, ...manifest } = JSON.parse(new TextDecoder().decode(files.get(MANIFEST_NAME)));
  files.set(MANIFEST_NAME, new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  return { name, bytes: pack(files), sealed };
}

async function seed(name: string, model: Uint8Array, options?: EncodeModelOptions): Promise<Seed> {
  const sinks = new Map<string, ReturnType<typeof memorySink>>();
  const openFile = async (file: string) => {
    const sink = memorySink();
    sinks.set(file, sink);
    return sink;
  };
  await encodeModel(bytesSource(model), openFile, options);
  const files = new Map(Array.from(sinks, ([file, { bytes }]) => [file, bytes]));
  // The manifest itself is under no checksum, but what it says of tensors is compared with their files.
  return { name, bytes: pack(files), sealed: true };
}
