/** The weights of an ONNX file, where they are in it: enough to run its graph with others in their place. */
import { ScanWindow, scanBytes } from '../../src/bytes/scan.js';
import { scanModel } from '../../src/onnx/scanModel.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { Task, Weights } from '../../test/helpers/tasks/task.js';

interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of its little-endian bytes in the file. */
  readonly offset: number;
  readonly length: number;
}

/** The F32 tensors of an ONNX file. */
export function onnxTensors(file: Uint8Array): Task['tensors'] {
  return placesOf(file).map(({ name, shape, offset, length }) => {
    const bytes = new Uint8Array(file.subarray(offset, offset + length));
    return { name, shape, data: new Float32Array(bytes.buffer) };
  });
}

/** The same file with these weights in place of its own. */
export function withWeights(file: Uint8Array, weights: Weights): Uint8Array {
  const copy = new Uint8Array(file);
  for (const { name, offset } of placesOf(file)) copy.set(bytesOf(weights.get(name)!), offset);
  return copy;
}

/** A safetensors file of the tensors. */
export function safetensorsOf(tensors: Task['tensors']): Uint8Array {
  const { bytes, header } = serializeSafetensorsHeader(
    tensors.map(({ name, shape }) => ({ name, shape, dtype: 'F32' })),
    new Map(),
  );
  const file = new Uint8Array(header.fileSize);
  file.set(bytes);
  for (const [i, { offset }] of header.tensors.entries()) file.set(bytesOf(tensors[i]!.data), offset);
  return file;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Where the F32 tensors of an ONNX file are, those of graphs within its graph, too. */
export function placesOf(file: Uint8Array): Place[] {
  const least = Float32Array.BYTES_PER_ELEMENT;
  const { tensors } = scanBytes(file, scanModel(new ScanWindow(file.length), { least }));
  return tensors.flatMap(({ name, dtype, shape, byteLength, data }) =>
    dtype === 'F32' && data.kind === 'raw' ? [{ name, shape, offset: data.offset, length: byteLength }] : [],
  );
}
