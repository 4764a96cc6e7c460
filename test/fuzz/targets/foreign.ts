import { readFileSync } from 'node:fs';
import type { OpenModelFile } from '../../../models/directory/modelReader.js';
import type { ModelSourceFile } from '../../../models/file/sourceFiles.js';
import { openForeignModel } from '../../../models/inputs/foreign.js';
import { bytesSource } from '../../../sources/bytes.js';
import type { RandomAccessSource } from '../../../src/source.js';
import { concatBytes } from '../../helpers/bytes.js';
import { ggufOf } from '../../helpers/ggufWriter.js';
import { graphOf, modelProto, nested, rawTensor } from '../../helpers/onnxWriter.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { type Reading, type Seed, type Target, WHOLE } from '../target.js';
import { archiveAnatomy, archiveLimits, opener, pack, unpack } from './archive.js';

/** Models of other formats, as model files are made of them: ONNX, GGUF, archives of NumPy and PyTorch, TensorFlow.js. */

const MAX_BYTES = 2 ** 18;
const LIMITS = { limits: archiveLimits(MAX_BYTES) };

export async function foreignTargets(): Promise<Target[]> {
  const inputs = new URL('../../fixtures/inputs/', import.meta.url);
  const seed = (name: string, bytes: Uint8Array): Seed => ({ name, bytes, sealed: false });
  const fixture = (path: string) => seed(path, new Uint8Array(readFileSync(new URL(path, inputs))));
  const target = (format: string, seeds: readonly Seed[]): Target => ({
    name: format,
    seeds,
    anatomy: WHOLE,
    ways: [
      { name: 'read', read: (input) => read(bytesSource(input), format) },
      { name: 'read in small chunks', every: 2, read: (input) => read(inSmallChunks(input), format) },
    ],
    memory: (input) => 2 ** 22 + 16 * MAX_BYTES + 64 * input.length,
  });
  return [
    target('onnx', [
      seed('small', smallOnnx()),
      seed('nested', modelProto(nested(3))),
      fixture('onnx/typed.onnx'),
    ]),
    target('gguf', [seed('small', smallGguf())]),
    target('npz', [fixture('w.npz'), fixture('zip/stored.npz'), fixture('zip/compressed.npz')]),
    target('pt', [fixture('zip/checkpoint.pt')]),
    {
      ...target('tfjs', [seed('small', smallTfjs())]),
      anatomy: archiveAnatomy(() => {}),
      ways: [
        { name: 'read', read: readTfjs },
        { name: 'read twice', every: 2, read: readTfjs },
      ],
    },
  ];
}

const MODEL_JSON = 'model.json';

/** Weights of every kind, in two files. */
function smallTfjs(): Uint8Array {
  const weights = [
    { name: 'a', shape: [2, 2], dtype: 'float32' },
    { name: 'b', shape: [3], dtype: 'bool' },
    { name: 'c', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
    { name: 'd', shape: [], dtype: 'int32', quantization: { dtype: 'uint16', scale: 2, min: 0 } },
    { name: 'e', shape: [2], dtype: 'float32', quantization: { dtype: 'float16' } },
  ];
  const json = { modelTopology: {}, weightsManifest: [{ paths: ['1.bin', '2.bin'], weights }] };
  const bytes = pseudoRandomBytes(28);
  return pack(
    new Map([
      [MODEL_JSON, new TextEncoder().encode(JSON.stringify(json))],
      ['1.bin', bytes.subarray(0, 11)],
      ['2.bin', bytes.subarray(11)],
    ]),
  );
}

function readTfjs(input: Uint8Array): Promise<Reading> {
  const open = opener(unpack(input));
  return read(open(MODEL_JSON), 'json', open);
}

function smallOnnx(): Uint8Array {
  const tensors = [
    rawTensor('large', [16, 20], pseudoRandomBytes(1280)),
    rawTensor('small', [3], new Uint8Array(12)),
  ];
  return modelProto(graphOf(tensors));
}

/** A tensor of F32, one in blocks of Q8_0, which take 34 bytes, and values of every kind. */
function smallGguf(): Uint8Array {
  const values = {
    'general.architecture': 'llama',
    'llama.block_count': 1,
    'tokenizer.ggml.tokens': ['a', 'b', 'of'],
    'tokenizer.ggml.scores': new Float32Array(3),
  };
  return ggufOf(values, [
    { name: 'embedding', dimensions: [8, 5], type: 0, bytes: pseudoRandomBytes(160) },
    { name: 'output', dimensions: [32, 2], type: 8, bytes: pseudoRandomBytes(68) },
  ]);
}

async function read(
  source: RandomAccessSource,
  format: string,
  openBeside?: OpenModelFile,
): Promise<Reading> {
  const model = await openForeignModel(source, { name: `model.${format}`, openBeside, ...LIMITS });
  try {
    const files = [...model.files, ...model.beside];
    return {
      facts: JSON.stringify(files.map(({ name, layout }) => [name, layout])),
      content: concatBytes(await Promise.all(files.map(bytesOf))),
    };
  } finally {
    await model.close();
  }
}

async function bytesOf({ source }: ModelSourceFile): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.stream()) chunks.push(chunk);
  return concatBytes(chunks);
}

/** Streams give seven bytes at a time. */
function inSmallChunks(input: Uint8Array): RandomAccessSource {
  const source = bytesSource(input);
  return {
    size: source.size,
    read: (...range) => source.read(...range),
    stream: (range) =>
      source.stream(range).pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            for (let at = 0; at < chunk.length; at += 7) controller.enqueue(chunk.slice(at, at + 7));
          },
        }),
      ),
  };
}
