import { decodeModelFile } from '../../../models/file/decodeModelFile.js';
import { parseModelPlan } from '../../../models/file/parsePlan.js';
import { PLAN_KEY } from '../../../models/file/plan.js';
import { openModel } from '../../../models/openModel.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { encodeToModelFile, modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { noise } from '../../helpers/random.js';
import type { Reading, Seed, Target } from '../target.js';
import { modelFileAnatomy } from './modelFileAnatomy.js';
import { loadedReading, type ReadTensor, tensorsReading } from './tensors.js';

/** Model files: loaded as a model, and decoded to the files that they were made of. */

const MAX_BYTES = 2 ** 18;
const LIMITS = {
  limits: { tensorBytes: MAX_BYTES, totalBytes: MAX_BYTES, headerBytes: 2 ** 16, tensors: 2 ** 9 },
} as const;

export async function modelFileTargets(): Promise<Target[]> {
  return [
    {
      name: 'model-file',
      seeds: await seeds(),
      anatomy: modelFileAnatomy,
      ways: [
        { name: 'loaded', read: load },
        { name: 'decoded', read: decode },
        { name: 'loaded step by step', every: 2, read: loadTwice },
      ],
      memory: (input) => 2 ** 23 + 64 * MAX_BYTES + 128 * input.length,
    },
  ];
}

async function load(input: Uint8Array): Promise<Reading> {
  const model = await openModel(bytesSource(input), LIMITS);
  try {
    return await loadedReading(model);
  } finally {
    await model.close();
  }
}

/** First as numbers of low quality, then the rest. */
async function loadTwice(input: Uint8Array): Promise<Reading> {
  const model = await openModel(bytesSource(input), LIMITS);
  try {
    await model.load({ quality: 0.5 });
    await model.load({ quality: 0.9, strategy: 'scan' });
    return await loadedReading(model);
  } finally {
    await model.close();
  }
}

/** Names of files that decoding refuses, and that loading does not look at. */
const BAD_NAME = /: (a file name in it is not plain|two of its files have the same name)/;

async function decode(input: Uint8Array): Promise<Reading> {
  try {
    return await decodedReading(input);
  } catch (error) {
    if (BAD_NAME.test((error as Error).message)) return load(input);
    throw error;
  }
}

/** A plain safetensors file has nothing to decode. */
async function decodedReading(input: Uint8Array): Promise<Reading> {
  const files: Uint8Array[] = [];
  const model = await decodeModelFile(
    bytesSource(input),
    async () => {
      const sink = memorySink();
      return {
        ...sink,
        async close() {
          await sink.close();
          files.push(sink.bytes);
        },
      };
    },
    LIMITS,
  );
  // Files of other formats have no header: what they hold is not known from their bytes.
  const { metadata } = parseSafetensorsHeader(input);
  if (metadata.has(PLAN_KEY) && parseModelPlan(metadata).files.some(({ bare }) => bare)) return load(input);
  const tensors = files.flatMap((file): ReadTensor[] =>
    parseSafetensorsHeader(file, { fileSize: file.length }).tensors.map(
      ({ offset, byteLength, ...tensor }) => ({
        ...tensor,
        bytes: file.subarray(offset, offset + byteLength),
      }),
    ),
  );
  if (tensors.length !== model.tensors.length) throw new Error('not every tensor was written');
  return tensorsReading(tensors);
}

async function seeds(): Promise<Seed[]> {
  const seed = (name: string, bytes: Uint8Array): Seed => ({ name, bytes, sealed: true, factsSealed: true });
  const small = modelOf(
    [
      { name: 'w', dtype: 'F32', shape: [40, 30] },
      { name: 'n', dtype: 'I64', shape: [3] },
    ],
    new Map([['format', 'pt']]),
    ({ dtype }, byteLength) =>
      dtype === 'F32'
        ? viewBytes(noise(byteLength / 4).map((value) => Math.round(2 * value)))
        : new Uint8Array(byteLength),
  );
  const other = modelOf([{ name: 'bias', dtype: 'BF16', shape: [70, 20] }], undefined, (_, byteLength) =>
    viewBytes(Uint16Array.from({ length: byteLength / 2 }, (_, i) => 0x3f80 + (i % 5))),
  );
  const short = modelOf([{ name: 'bias', dtype: 'F32', shape: [60] }], undefined, (_, byteLength) =>
    viewBytes(noise(byteLength / 4)),
  );
  const plain = modelOf([
    { name: 'a', dtype: 'I32', shape: [3] },
    { name: 'b', dtype: 'BOOL', shape: [] },
  ]);
  return [
    seed('plain', await modelFileOf(plain)),
    seed('two-fragments', await modelFileOf(small, { encode: { fragments: 2 } })),
    seed('spectral', await modelFileOf(small, { encode: { encoding: 'spectral', fragments: 2 } })),
    seed(
      'shards',
      await encodeToModelFile(
        { 'a.safetensors': small, 'b.safetensors': other },
        { encode: { fragments: 2 } },
      ),
    ),
    seed('compressed', await modelFileOf(other, { encode: { fragments: 3 } })),
    seed('two-parts', await modelFileOf(short)),
  ];
}
